//! What OpenSSH really prints, and what we make of it.

use super::*;

/// As OpenSSH 9.2 printed it; the names are changed.
const KEY_CHANGED: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:5si52WafthCQ6LttJMBRARWF83XCT+B1CrQn6vUI4dE.
Please contact your system administrator.
Add correct host key in /home/ann/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ann/.ssh/known_hosts:1
Host key for box has changed and you have requested strict checking.
Host key verification failed.";
const KEY_UNKNOWN: &str = "\
No ED25519 host key is known for box and you have requested strict checking.
Host key verification failed.";
const KEY_TOO_OPEN: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Permissions 0666 for '/home/ann/.ssh/id_ed25519' are too open.
It is required that your private key files are NOT accessible by others.
This private key will be ignored.
Load key \"/home/ann/.ssh/id_ed25519\": bad permissions
ops@box: Permission denied (publickey,password).";
const JUMP_HOST_UNRESOLVED: &str = "\
ssh: Could not resolve hostname jump.example: Name or service not known
kex_exchange_identification: Connection closed by remote host
Connection closed by UNKNOWN port 65535";
const BANNER_TIMED_OUT: &str = "\
Connection timed out during banner exchange
Connection to 10.255.255.1 port 22 timed out";
const NO_PROJECT: &str = "\
Linux box 6.1.0 x86_64
trainyard: no trainyard.toml in /root; `trainyard init` writes one";
const WRONG_CONFIGURATION: &str = "\
trainyard: /srv/app/trainyard.toml is not valid:
  3:1 there is no key `nme`; did you mean `name`?
";

fn told(end: End, said: &str, is_batch: bool) -> LineError {
    LineError::of_end(&"ops@box:/srv/app".parse().unwrap(), end, said, is_batch)
}

/// What `ssh` itself failed with, while it could ask.
fn of_ssh_itself(said: &str) -> LineError {
    told(End::Code(OF_SSH), said, false)
}

fn host() -> String {
    "ops@box".to_owned()
}

#[test]
fn what_ssh_prints_is_recognised() {
    let table = [
        (KEY_CHANGED, LineError::HostKeyChanged { host: host() }),
        (KEY_UNKNOWN, LineError::HostKeyUnknown { host: host() }),
        ("Host key verification failed.\r", LineError::HostKeyUnknown { host: host() }),
        (
            "ssh: Could not resolve hostname nowhere.invalid: Name or service not known\r",
            LineError::Unresolved { host: host(), name: "nowhere.invalid".to_owned() },
        ),
        (
            "ssh: Could not resolve hostname box: Temporary failure in name resolution",
            LineError::Unresolved { host: host(), name: "box".to_owned() },
        ),
        (JUMP_HOST_UNRESOLVED, LineError::Unresolved { host: host(), name: "jump.example".to_owned() }),
        (
            "ops@box: Permission denied (publickey).\r",
            LineError::Denied { host: host(), methods: "publickey".to_owned() },
        ),
        (KEY_TOO_OPEN, LineError::Denied { host: host(), methods: "publickey, password".to_owned() }),
        (
            "Permission denied, please try again.\nops@box: Permission denied (publickey,keyboard-interactive).",
            LineError::Denied { host: host(), methods: "publickey, keyboard-interactive".to_owned() },
        ),
        (
            "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.1 port 22",
            LineError::TooManyKeys { host: host() },
        ),
        (
            "/home/ann/.ssh/config: line 3: Bad configuration option: prot\n/home/ann/.ssh/config: terminating, 1 bad configuration options",
            LineError::Configuration {
                said: "/home/ann/.ssh/config: line 3: Bad configuration option: prot".to_owned(),
            },
        ),
        (
            "Bad owner or permissions on /home/ann/.ssh/config",
            LineError::Configuration { said: "Bad owner or permissions on /home/ann/.ssh/config".to_owned() },
        ),
        (
            "ssh: connect to host 10.0.0.1 port 22: Connection refused\r",
            LineError::Refused {
                host: host(),
                said: "connect to host 10.0.0.1 port 22: Connection refused".to_owned(),
            },
        ),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", LineError::TimedOut { host: host() }),
        (BANNER_TIMED_OUT, LineError::TimedOut { host: host() }),
        ("Timeout, server box not responding.\r", LineError::TimedOut { host: host() }),
        (
            "ssh: connect to host 10.0.0.1 port 22: No route to host",
            LineError::NoWay { host: host(), said: "connect to host 10.0.0.1 port 22: No route to host".to_owned() },
        ),
        (
            "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.1 port 22\n",
            LineError::Broken { host: host(), said: "Connection reset by 10.0.0.1 port 22".to_owned() },
        ),
        ("", LineError::Broken { host: host(), said: "ssh ended with exit code 255".to_owned() }),
    ];
    for (said, error) in table {
        assert_eq!(of_ssh_itself(said), error, "{said}");
    }
}

#[test]
fn behind_the_screen_nobody_can_be_asked() {
    for said in ["ops@box: Permission denied (publickey).", "ops@box: Permission denied (publickey,password)."] {
        let error = told(End::Code(OF_SSH), said, true);
        assert_eq!(error, LineError::Asks { host: host() });
        assert!(!error.may_pass(), "to try it again and again would lock the account");
    }
}

#[test]
fn what_trainyard_over_there_ended_with_is_recognised() {
    let daemon = |said: &str| LineError::Daemon { host: host(), said: said.to_owned() };
    let table = [
        (End::Code(127), "", LineError::NoProgram { host: host() }),
        (
            End::Code(126),
            "sh: 1: exec: /usr/local/bin/trainyard: Exec format error\n",
            LineError::Unfit {
                host: host(),
                said: "sh: 1: exec: /usr/local/bin/trainyard: Exec format error".to_owned(),
            },
        ),
        (
            End::Code(2),
            "error: unrecognized subcommand 'link'\n\nUsage: trainyard [OPTIONS] [COMMAND]\n\nFor more information, try '--help'.\n",
            LineError::Older { host: host() },
        ),
        (
            End::Code(2),
            NO_PROJECT,
            LineError::NoProject {
                host: host(),
                said: "no trainyard.toml in /root; `trainyard init` writes one".to_owned(),
            },
        ),
        (
            End::Code(2),
            "trainyard: cannot enter /srv/ap: No such file or directory (os error 2)\n",
            LineError::NoProject {
                host: host(),
                said: "cannot enter /srv/ap: No such file or directory (os error 2)".to_owned(),
            },
        ),
        (
            End::Code(2),
            WRONG_CONFIGURATION,
            daemon("/srv/app/trainyard.toml is not valid:\n  3:1 there is no key `nme`; did you mean `name`?"),
        ),
        (
            End::Code(3),
            "trainyard: cannot open the journal: disk I/O error\n",
            daemon("cannot open the journal: disk I/O error"),
        ),
        (End::Signal(9), "", LineError::Broken { host: host(), said: "ssh was ended by signal 9".to_owned() }),
        (End::Code(0), "", LineError::Broken { host: host(), said: "ssh ended with exit code 0".to_owned() }),
    ];
    for (end, said, error) in table {
        assert_eq!(told(end, said, false), error, "{said}");
    }
}

#[test]
fn which_of_two_versions_is_older_and_what_to_do_is_said() {
    let version = |their_api, our_api| LineError::Version {
        host: host(),
        theirs: "0.1.0".to_owned(),
        their_api,
        ours: "0.2.0".to_owned(),
        our_api,
    };
    let older_there = version(1, 2).to_string();
    assert!(older_there.contains("0.1.0 (API 1)") && older_there.contains("0.2.0 (API 2)"), "{older_there}");
    assert!(older_there.contains("the older is there") && older_there.contains("scp"), "{older_there}");
    let older_here = version(3, 2).to_string();
    assert!(older_here.contains("the older is here"), "{older_here}");
}

#[test]
fn a_lost_line_is_told_in_a_few_words() {
    assert_eq!(of_ssh_itself("Timeout, server box not responding.").brief(), "ops@box does not answer in time");
    assert_eq!(because(End::Signal(9), " \n"), "ssh was ended by signal 9");
    assert_eq!(
        because(End::Code(255), "a\nclient_loop: send disconnect: Broken pipe\r\n\n"),
        "client_loop: send disconnect: Broken pipe"
    );
}
