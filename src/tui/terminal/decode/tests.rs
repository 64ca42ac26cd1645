//! Bytes of real terminals, and of none, as a decoder takes them.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

use super::*;

/// All that bytes mean, with nothing behind them.
fn heard(bytes: &[u8]) -> Vec<Heard> {
    heard_in(&[bytes])
}

fn heard_in(pieces: &[&[u8]]) -> Vec<Heard> {
    let (mut decoder, mut all) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.feed(piece, &mut |heard| all.push(heard));
    }
    decoder.give_up(&mut |heard| all.push(heard));
    all
}

fn plain(code: KeyCode) -> Heard {
    key(code, KeyModifiers::NONE)
}

#[test]
fn keys_are_what_they_are_on_every_terminal() {
    let cases: &[(&[u8], KeyCode, KeyModifiers)] = &[
        (b"r", KeyCode::Char('r'), KeyModifiers::NONE),
        (b"R", KeyCode::Char('R'), KeyModifiers::SHIFT),
        ("한".as_bytes(), KeyCode::Char('한'), KeyModifiers::NONE),
        (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
        (b"\r", KeyCode::Enter, KeyModifiers::NONE),
        (b"\x7f", KeyCode::Backspace, KeyModifiers::NONE),
        (b"\x1b[A", KeyCode::Up, KeyModifiers::NONE),
        (b"\x1bOA", KeyCode::Up, KeyModifiers::NONE),
        (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
        (b"\x1b[5~", KeyCode::PageUp, KeyModifiers::NONE),
        (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
        (b"\x1bOP", KeyCode::F(1), KeyModifiers::NONE),
        (b"\x1b[[A", KeyCode::F(1), KeyModifiers::NONE),
        (b"\x1b[11~", KeyCode::F(1), KeyModifiers::NONE),
        (b"\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL),
        (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
        (b"\x1b", KeyCode::Esc, KeyModifiers::NONE),
    ];
    for (bytes, code, modifiers) in cases {
        assert_eq!(heard(bytes), [key(*code, *modifiers)], "{bytes:?}");
    }
}

#[test]
fn an_escape_that_nothing_follows_is_the_key_and_one_that_is_followed_is_not() {
    let mut decoder = Decoder::default();
    let mut all = Vec::new();
    decoder.feed(b"\x1b", &mut |heard| all.push(heard));
    assert!(all.is_empty() && decoder.patience() == Some(KEY_WAIT));
    decoder.feed(b"[B", &mut |heard| all.push(heard));
    assert_eq!(all, [plain(KeyCode::Down)]);
    assert_eq!(decoder.patience(), None);
    assert_eq!(heard(b"\x1b\x1b"), [plain(KeyCode::Esc), plain(KeyCode::Esc)]);
    // Brackets with Alt held are keys too, once it is clear that no sequence begins.
    assert_eq!(heard(b"\x1b]"), [key(KeyCode::Char(']'), KeyModifiers::ALT)]);
}

#[test]
fn what_a_terminal_says_of_itself_is_understood() {
    let dark = Answer::Background([0.0, 0.0, 0.0]);
    assert_eq!(heard(b"\x1b]11;rgb:0000/0000/0000\x1b\\"), [Heard::Answer(dark.clone())]);
    assert_eq!(heard(b"\x1b]11;rgb:00/00/00\x07"), [Heard::Answer(dark)]);
    assert_eq!(heard(b"\x1b]10;#fff\x07"), [Heard::Answer(Answer::Foreground([1.0, 1.0, 1.0]))]);
    let mode = |is_known| [Heard::Answer(Answer::Mode { number: 2026, is_known })];
    assert_eq!(heard(b"\x1b[?2026;2$y"), mode(true));
    assert_eq!(heard(b"\x1b[?2026;0$y"), mode(false));
    assert_eq!(heard(b"\x1b[?2026;4$y"), mode(false));
    assert_eq!(heard(b"\x1b[?62;22;52c"), [Heard::Answer(Answer::Attributes)]);
    let version = Answer::Version("kitty(0.43.1)".to_owned());
    assert_eq!(heard(b"\x1bP>|kitty(0.43.1)\x1b\\"), [Heard::Answer(version)]);
    let capability = |is_there| [Heard::Answer(Answer::Capability { name: "RGB".to_owned(), is_there })];
    assert_eq!(heard(b"\x1bP1+r524742=38\x1b\\"), capability(true));
    assert_eq!(heard(b"\x1bP0+r524742\x1b\\"), capability(false));
}

#[test]
fn no_answer_is_ever_typed_into_the_program_however_wrong_it_is() {
    for wrong in [
        &b"\x1b]11;run\x07"[..],
        b"\x1b]11;rgb:zz/zz/zz\x1b\\",
        b"\x1b]52;c;cnVu\x07",
        b"\x1bP1+rxyz\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\x1b[?2026;$y",
        b"\x1b[?99999999999;1$y",
        b"\x1b[>41;390;0c",
        b"\x1b[12;40R",
        b"\x1b[<0;0;0M",
        b"\x1b[<999999;1;1M",
        b"\x1b[<;;M",
        b"\x1b[M\x00\x00\x00",
        b"\x1b[I\x1b[O",
        b"\xff\xfe\x80",
    ] {
        assert!(heard(wrong).is_empty(), "{}", String::from_utf8_lossy(wrong));
    }
    // One that never ends takes nothing with it but itself.
    let mut endless = b"\x1b]11;rgb:".to_vec();
    endless.extend(std::iter::repeat_n(b'r', 100_000));
    assert!(heard(&endless).is_empty());
}

#[test]
fn what_is_pasted_is_one_text_and_no_key() {
    let text = "r\nT\x1b[A q 한국어";
    let bytes = format!("\x1b[200~{text}\x1b[201~x");
    assert_eq!(heard(bytes.as_bytes()), [Heard::Event(Event::Paste(text.to_owned())), plain(KeyCode::Char('x'))]);
    let large = format!("\x1b[200~{}\x1b[201~", "r\n".repeat(512 * 1024));
    let all = heard(large.as_bytes());
    assert!(matches!(all.as_slice(), [Heard::Event(Event::Paste(text))] if text.len() == PASTE), "{}", all.len());
    // One whose end is lost ends with the wait.
    assert_eq!(heard(b"\x1b[200~abc\x1b[2"), [Heard::Event(Event::Paste("abc\u{1b}[2".to_owned()))]);
}

#[test]
fn the_mouse_is_told_in_both_ways() {
    let at =
        |kind, column, row| Heard::Event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    assert_eq!(heard(b"\x1b[<0;3;7M"), [at(MouseEventKind::Down(MouseButton::Left), 2, 6)]);
    assert_eq!(heard(b"\x1b[<0;3;7m"), [at(MouseEventKind::Up(MouseButton::Left), 2, 6)]);
    assert_eq!(heard(b"\x1b[<32;3;7M"), [at(MouseEventKind::Drag(MouseButton::Left), 2, 6)]);
    assert_eq!(heard(b"\x1b[<65;1;1M"), [at(MouseEventKind::ScrollDown, 0, 0)]);
    assert_eq!(heard(b"\x1b[M !!"), [at(MouseEventKind::Down(MouseButton::Left), 0, 0)]);
}

proptest! {
    #[test]
    fn whatever_came_before_a_key_is_a_key_once_the_rest_was_waited_for(
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b']'), Just(b'~'), Just(b';'), Just(b'2'), Just(b'0')],
            0..200,
        ),
    ) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes, &mut |_| {});
        decoder.give_up(&mut |_| {});
        prop_assert_eq!(decoder.patience(), None);
        let mut all = Vec::new();
        decoder.feed(b"q", &mut |heard| all.push(heard));
        prop_assert_eq!(all, vec![plain(KeyCode::Char('q'))]);
    }
}
