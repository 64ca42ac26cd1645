//! The forms in which a secret turns up: as it is, line by line, and as JSON, XML, URLs, base64 and hexadecimal digits have it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::LEAST;

/// Bytes of a secret up to which all its forms are looked for; of a longer one its lines, which no program prints as one.
const WHOLE: usize = 16 * 1024;
/// Bytes from which on a single line of a secret is one itself. Shorter ones (`}`, `end`) are everywhere.
const LINE: usize = 8;
/// Lines of a secret that are looked for.
const LINES: usize = 2_000;
/// Characters after which programs break lines of base64: those of `base64` and mail, and those of PEM.
const BASE64_LINES: [usize; 2] = [76, 64];

/// What percent-encoding leaves as it is.
struct PercentEncoding {
    /// Whether letters and digits are left.
    plain: bool,
    /// What else is.
    kept: &'static [u8],
    /// Whether a space is `+`, as in forms.
    plus: bool,
}

/// The ways of the usual libraries, from all that must be encoded to all that can be.
const PERCENT_ENCODINGS: [PercentEncoding; 6] = [
    PercentEncoding { plain: true, kept: b"-._~;/?:@&=+$,#!'()*", plus: false },
    PercentEncoding { plain: true, kept: b"-._~!'()*", plus: false },
    PercentEncoding { plain: true, kept: b"-._~/", plus: false },
    PercentEncoding { plain: true, kept: b"-._~", plus: false },
    PercentEncoding { plain: true, kept: b"*-._", plus: true },
    PercentEncoding { plain: false, kept: b"", plus: false },
];

/// What XML libraries write for `>`, `"` and `'`.
const XML_ESCAPES: [[&str; 3]; 6] = [
    [">", "\"", "'"],
    ["&gt;", "\"", "'"],
    ["&gt;", "&quot;", "'"],
    ["&gt;", "&quot;", "&apos;"],
    ["&gt;", "&quot;", "&#39;"],
    ["&gt;", "&quot;", "&#x27;"],
];

/// All forms of a secret, each of at least [`LEAST`] bytes.
pub(super) fn forms(value: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    // An editor puts a line end behind the last line, which is no part of the secret.
    let value = value.trim_ascii();
    if value.len() < LEAST {
        return forms;
    }
    if value.contains(&b'\n') {
        lines(value, &mut forms);
    }
    if value.len() <= WHOLE {
        forms.insert(value.to_vec());
        base64(value, &mut forms);
        percent(value, &mut forms);
        hexadecimal(value, &mut forms);
        if let Ok(text) = str::from_utf8(value) {
            escaped(text, &mut forms);
        }
    }
    forms.retain(|form| form.len() >= LEAST);
    forms
}

fn lines(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    // The frame of a key in PEM is the same for everybody.
    for line in lines.filter(|line| line.len() >= LINE && !line.starts_with(b"-----")).take(LINES) {
        forms.insert(line.to_vec());
        if let Ok(text) = str::from_utf8(line) {
            escaped(text, forms);
        }
    }
}

fn escaped(text: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: String| forms.insert(form.into_bytes());
    if let Ok(json) = serde_json::to_string(text) {
        let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json);
        add(ascii(json));
        add(json.replace('/', "\\/"));
        add(json.to_owned());
    }
    add(text.replace('\r', "\\r").replace('\n', "\\n"));
    for [greater, quote, apostrophe] in XML_ESCAPES {
        let xml = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', greater);
        let xml = xml.replace('"', quote).replace('\'', apostrophe);
        add(xml.replace('\n', "&#10;"));
        add(xml);
    }
}

/// JSON in which what is not ASCII is written as numbers, as Python does.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

/// As it stands in longer base64, too: three bytes are four characters, so there are three ways in which it can lie.
fn base64(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: &str| {
        forms.insert(form.as_bytes().to_vec());
        forms.insert(form.replace('+', "-").replace('/', "_").into_bytes());
    };
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(value);
        let text = STANDARD.encode(&bytes);
        let bits = bytes.len() * 8;
        // A character that also holds bits of what stands before or behind is not the secret's alone; that behind the last
        // byte is, where nothing follows.
        let begin = (before * 8).div_ceil(6);
        for end in [bits / 6, bits.div_ceil(6), text.len()] {
            add(text.get(begin..end).unwrap_or_default());
        }
        // In lines, which need not end where the secret does.
        let sure = text.get(..bits / 6).unwrap_or_default();
        for width in BASE64_LINES.into_iter().filter(|width| before == 0 && text.len() > *width) {
            for line in [text.as_bytes(), sure.as_bytes()].into_iter().flat_map(|text| text.chunks(width)) {
                if line.len() >= LINE {
                    add(str::from_utf8(line).unwrap_or_default());
                }
            }
        }
    }
}

fn percent(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    for PercentEncoding { plain, kept, plus } in PERCENT_ENCODINGS {
        let (mut upper, mut lower) = (String::new(), String::new());
        for byte in value {
            let is_left = (plain && byte.is_ascii_alphanumeric()) || kept.contains(byte);
            for (text, is_upper) in [(&mut upper, true), (&mut lower, false)] {
                let _ = match (is_left, plus && *byte == b' ', is_upper) {
                    (true, _, _) => write!(text, "{}", char::from(*byte)),
                    (false, true, _) => write!(text, "+"),
                    (false, false, true) => write!(text, "%{byte:02X}"),
                    (false, false, false) => write!(text, "%{byte:02x}"),
                };
            }
        }
        forms.extend([upper.into_bytes(), lower.into_bytes()]);
    }
}

fn hexadecimal(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    let mut lower = String::with_capacity(value.len() * 2);
    for byte in value {
        let _ = write!(lower, "{byte:02x}");
    }
    forms.insert(lower.to_ascii_uppercase().into_bytes());
    forms.insert(lower.into_bytes());
}
