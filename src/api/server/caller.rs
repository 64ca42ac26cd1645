//! The door: whose process calls, as whom, and whether it may act.
//!
//! The kernel says which user's process is at the other end of the socket, and only the daemon's own may enter; the
//! folder and the mode of the socket say the same, but they can be changed by mistake. Who the person is, the client says:
//! all that share an account share its rights, so a name tells people apart and proves nothing.

use std::fs;
use std::sync::Arc;

use axum::Extension;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;

use super::answers::problem;
use crate::api::types::{ACCESS_HEADER, FROM_HEADER, OPERATOR_HEADER, from_header_text};
use crate::disk::LastingListener;

/// Characters of a name, of an address and of the name of a view; what is longer is cut.
const LONGEST_NAME: usize = 64;
/// Bytes of a reason; every screen is sent every one.
pub(super) const LONGEST_REASON: usize = 4_096;
/// Where this machine's accounts stand.
const ACCOUNTS: &str = "/etc/passwd";

/// The process at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// The user; `None` if the kernel does not tell.
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, LastingListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, LastingListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|credentials| credentials.uid()) }
    }
}

/// Whom the daemon belongs to; nobody else may enter.
#[derive(Debug)]
pub(super) struct Door {
    uid: u32,
    account: String,
}

impl Door {
    /// That of this process.
    pub(super) fn own() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        Self { uid, account: account(uid) }
    }

    /// Why the process may not enter.
    fn refusal(&self, peer: Peer) -> Option<String> {
        let Self { uid: own, account: owner } = self;
        match peer.uid {
            Some(uid) if uid == *own => None,
            Some(uid) => {
                let caller = account(uid);
                Some(format!(
                    "this daemon belongs to {owner} (user {own}), and you come as {caller} (user {uid}); \
                     come as {owner}: log in as {owner}, or use `sudo -u {owner} trainyard …`"
                ))
            }
            None => Some(format!(
                "the system does not tell whose process this is, so it may not enter; \
                 this daemon belongs to {owner} (user {own})"
            )),
        }
    }
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The person, as the client says; else the account.
    pub(super) name: String,
    /// The account of the process.
    pub(super) account: String,
    /// From where, as the client says.
    pub(super) from: Option<String>,
    /// Whether it gave up the right to change anything.
    pub(super) is_observer: bool,
}

impl Caller {
    fn read(headers: &HeaderMap, account: &str) -> Self {
        let text = |header: &str| {
            let value = headers.get(header)?;
            Some(plain(&from_header_text(value.as_bytes()))).filter(|text| !text.is_empty())
        };
        Self {
            name: text(OPERATOR_HEADER).unwrap_or_else(|| account.to_owned()),
            account: account.to_owned(),
            from: text(FROM_HEADER),
            // Whatever it says: a word that is not known gives no rights.
            is_observer: headers.contains_key(ACCESS_HEADER),
        }
    }
}

/// Lets in whoever may enter, and notes who it is for the handlers.
pub(super) async fn admit(
    State(door): State<Arc<Door>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(refusal) = door.refusal(peer) {
        return problem(StatusCode::FORBIDDEN, refusal);
    }
    let caller = Caller::read(request.headers(), &door.account);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Stands before all that changes anything: those who only watch do not pass.
pub(super) async fn act(Extension(caller): Extension<Caller>, request: Request, next: Next) -> Response {
    if caller.is_observer {
        let text =
            "you only watch here (--read-only), and this would change something; come without --read-only to do it";
        return problem(StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

/// Text of a client as it may stand in a list: in one line, not long, and without characters that move what others see.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |character: &char| !character.is_control() && !is_invisible(*character);
    let kept: String = text.trim().chars().filter(is_plain).take(LONGEST_NAME).collect();
    kept.trim_end().to_owned()
}

/// A reason as it stands in the trail: in one line, for its lines must not pass for others of the trail, and without what
/// turns the direction of all that follows. `None` if it is longer than anybody reads.
pub(super) fn reason(text: &str) -> Option<String> {
    let spaced = |character: char| if character.is_control() { ' ' } else { character };
    // Two that take no room join letters of some scripts, and they turn nothing.
    let is_kept = |character: &char| !is_invisible(*character) || matches!(character, '\u{200c}' | '\u{200d}');
    let kept: String = text.trim().chars().map(spaced).filter(is_kept).collect();
    (kept.len() <= LONGEST_REASON).then_some(kept)
}

/// What takes no room and may turn the direction of all that follows, or hide text in text.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The name of a user's account; its number where this machine's list has none.
fn account(uid: u32) -> String {
    let accounts = fs::read(ACCOUNTS).unwrap_or_default();
    account_among(&String::from_utf8_lossy(&accounts), uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// As `passwd(5)` has it: the name, the password, the number.
fn account_among(accounts: &str, uid: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::api::types::{OBSERVER, header_text};

    fn read(headers: &[(&'static str, &str)]) -> Caller {
        let mut map = HeaderMap::new();
        for (name, text) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(text).unwrap());
        }
        Caller::read(&map, "ann")
    }

    #[test]
    fn a_caller_is_who_it_says_and_without_a_word_its_account() {
        let nobody = Caller { name: "ann".to_owned(), account: "ann".to_owned(), from: None, is_observer: false };
        assert_eq!(read(&[]), nobody);
        assert_eq!(read(&[(OPERATOR_HEADER, ""), (FROM_HEADER, "%20")]), nobody);
        let told = read(&[
            (OPERATOR_HEADER, header_text("Jürgen 서").as_str()),
            (FROM_HEADER, header_text("2001:db8::1").as_str()),
            (ACCESS_HEADER, OBSERVER),
        ]);
        let expected = Caller {
            name: "Jürgen 서".to_owned(),
            account: "ann".to_owned(),
            from: Some("2001:db8::1".to_owned()),
            is_observer: true,
        };
        assert_eq!(told, expected);
        assert!(read(&[(ACCESS_HEADER, "everything")]).is_observer, "what is not understood gives no rights");
    }

    #[test]
    fn a_name_is_short_and_moves_nothing_on_a_screen() {
        let wild = "\u{1b}[31mann\u{1b}[0m\r\n\u{202e}bob\u{7} ";
        assert_eq!(read(&[(OPERATOR_HEADER, header_text(wild).as_str())]).name, "[31mann[0mbob");
        assert_eq!(plain(&"é".repeat(1_000)).chars().count(), LONGEST_NAME);
        assert_eq!(plain("  Ann Lee  "), "Ann Lee");
    }

    #[test]
    fn a_reason_is_one_line_and_not_a_book() {
        assert_eq!(reason(" it's\r\n2\u{202e} \u{1b}[0m\tlong ").as_deref(), Some("it's  2  [0m long"));
        assert_eq!(reason("").as_deref(), Some(""));
        assert!(reason(&"é".repeat(LONGEST_REASON / 2)).is_some());
        assert!(reason(&"é".repeat(LONGEST_REASON / 2 + 1)).is_none());
    }

    #[test]
    fn only_the_owner_may_enter_and_others_are_told_as_whom_to_come() {
        let door = Door { uid: 4_000_000_001, account: "ann".to_owned() };
        assert_eq!(door.refusal(Peer { uid: Some(4_000_000_001) }), None);
        let refusal = door.refusal(Peer { uid: Some(4_000_000_002) }).unwrap();
        assert_eq!(
            refusal,
            "this daemon belongs to ann (user 4000000001), and you come as uid 4000000002 (user 4000000002); \
             come as ann: log in as ann, or use `sudo -u ann trainyard …`"
        );
        assert!(door.refusal(Peer { uid: Some(0) }).is_some(), "not even root, who can become the owner");
        assert!(door.refusal(Peer { uid: None }).is_some());
    }

    #[test]
    fn accounts_are_read_as_the_system_writes_them() {
        let list = "root:x:0:0:root:/root:/bin/sh\n\nodd\n:x:7::\n+::::::\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(account_among(list, 0).as_deref(), Some("root"));
        assert_eq!(account_among(list, 1_000).as_deref(), Some("ann"));
        assert_eq!(account_among(list, 7), None);
        assert_eq!(account_among(list, 1), None);
    }
}
