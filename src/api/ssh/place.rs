//! `[USER@]HOST[:DIR]`: a project on another machine.

use std::fmt;
use std::str::FromStr;

/// What may stand neither in a user nor in a host: OpenSSH refuses it too, for it may reach a shell through a configured
/// `ProxyCommand`.
const FORBIDDEN: &str = "'`\"$;&<>|(){}";

/// Where a project lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    user: Option<String>,
    host: String,
    folder: Option<String>,
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is no host in it.
    #[error("no host is named; write [USER@]HOST[:DIR]")]
    NoHost,
    /// It would be taken for an option of `ssh`.
    #[error("`{0}` begins with `-`, which ssh would take for an option; write [USER@]HOST[:DIR]")]
    Option(String),
    /// Something in it cannot be in a name.
    #[error("`{name}` holds {letter:?}, which no user or host may have; write [USER@]HOST[:DIR]")]
    Letter {
        /// The user or the host.
        name: String,
        /// What is wrong.
        letter: char,
    },
    /// A bracket is not closed, or something unexpected is behind it.
    #[error("an IPv6 address stands in brackets, as in [::1]:/srv/app")]
    Brackets,
    /// An address of the kind `ssh://`.
    #[error("write [USER@]HOST[:DIR] and not ssh://; a port is set by `Port` for a `Host` in ~/.ssh/config")]
    Address,
    /// The folder cannot be said to a shell.
    #[error("the folder holds {0:?}; name it without control characters")]
    Folder(char),
}

impl Place {
    /// How `ssh` is told of it.
    pub fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }

    /// How `scp` is told of it: an address of IPv6 needs its brackets there.
    pub fn machine(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        if self.host.contains(':') { format!("{user}[{}]", self.host) } else { format!("{user}{}", self.host) }
    }

    /// The folder over there, where one is named: absolute, from `~`, or from where a login begins.
    pub fn folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.machine())?;
        self.folder.as_ref().map_or(Ok(()), |folder| write!(f, ":{folder}"))
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        if text.starts_with("ssh://") {
            return Err(PlaceError::Address);
        }
        // A user has no colon, and a folder may have an `@`: the last one before the first colon ends the user.
        let before_colon = text.split(':').next().unwrap_or_default();
        let (user, rest) = match before_colon.rfind('@') {
            Some(at) => (text.get(..at), text.get(at + 1..).unwrap_or_default()),
            None => (None, text),
        };
        let (host, folder) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (host, behind) = bracketed.split_once(']').ok_or(PlaceError::Brackets)?;
                match behind.strip_prefix(':') {
                    Some(folder) => (host, Some(folder)),
                    None if behind.is_empty() => (host, None),
                    None => return Err(PlaceError::Brackets),
                }
            }
            None => rest.split_once(':').map_or((rest, None), |(host, folder)| (host, Some(folder))),
        };
        if folder.is_some_and(|folder| folder.starts_with(':')) {
            return Err(PlaceError::Brackets);
        }
        if host.is_empty() {
            return Err(PlaceError::NoHost);
        }
        for name in user.into_iter().chain([host]) {
            check(name)?;
        }
        if let Some(letter) = folder.and_then(|folder| folder.chars().find(|letter| letter.is_control())) {
            return Err(PlaceError::Folder(letter));
        }
        let folder = folder.filter(|folder| !folder.is_empty()).map(str::to_owned);
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), folder })
    }
}

fn check(name: &str) -> Result<(), PlaceError> {
    if name.is_empty() {
        return Err(PlaceError::NoHost);
    }
    if name.starts_with('-') {
        return Err(PlaceError::Option(name.to_owned()));
    }
    let is_wrong = |letter: &char| letter.is_whitespace() || letter.is_control() || FORBIDDEN.contains(*letter);
    match name.chars().find(is_wrong) {
        Some(letter) => Err(PlaceError::Letter { name: name.to_owned(), letter }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_apart_and_told_to_ssh_and_scp() {
        let table = [
            ("box", "box", "box", None),
            ("box:", "box", "box", None),
            ("box:/srv/app", "box", "box", Some("/srv/app")),
            ("box:apps/one", "box", "box", Some("apps/one")),
            ("box:~/my app", "box", "box", Some("~/my app")),
            ("box:/srv/a@b:c", "box", "box", Some("/srv/a@b:c")),
            ("ops@box", "ops@box", "ops@box", None),
            ("ann@corp@box:~", "ann@corp@box", "ann@corp@box", Some("~")),
            ("[::1]", "::1", "[::1]", None),
            ("ann@[fe80::1%eth0]:/srv/고객", "ann@fe80::1%eth0", "ann@[fe80::1%eth0]", Some("/srv/고객")),
        ];
        for (text, destination, machine, folder) in table {
            let place: Place = text.parse().unwrap();
            let told = (place.destination(), place.machine(), place.folder().map(str::to_owned));
            assert_eq!(told, (destination.to_owned(), machine.to_owned(), folder.map(str::to_owned)), "{text}");
            assert_eq!(place.to_string().parse::<Place>(), Ok(place), "{text}");
        }
    }

    #[test]
    fn what_names_no_place_is_refused_with_the_reason() {
        let letter = |name: &str, letter| PlaceError::Letter { name: name.to_owned(), letter };
        let table = [
            ("", PlaceError::NoHost),
            (":/srv/app", PlaceError::NoHost),
            ("@box", PlaceError::NoHost),
            ("ann@", PlaceError::NoHost),
            ("-oProxyCommand=reboot", PlaceError::Option("-oProxyCommand=reboot".to_owned())),
            ("ann@-box", PlaceError::Option("-box".to_owned())),
            ("-x@box", PlaceError::Option("-x".to_owned())),
            ("a box", letter("a box", ' ')),
            ("$(reboot)", letter("$(reboot)", '$')),
            ("ann;@box", letter("ann;", ';')),
            ("::1", PlaceError::Brackets),
            ("fe80::1", PlaceError::Brackets),
            ("[::1", PlaceError::Brackets),
            ("[::1]/srv", PlaceError::Brackets),
            ("ssh://box:22/srv", PlaceError::Address),
            ("box:a\nb", PlaceError::Folder('\n')),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Place>(), Err(error), "{text:?}");
        }
    }
}
