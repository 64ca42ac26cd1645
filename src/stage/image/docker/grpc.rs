//! As much of `gRPC` and of protocol buffers as the session of a build needs: messages of a few texts, one to a request.

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// Bytes before a message: whether it is compressed, and its length.
const HEAD: usize = 5;
const STATUS: &str = "grpc-status";

/// What is answered.
pub type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Why a request is not answered with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// What was asked for is not there.
    NotFound,
    /// The request is not known here.
    Unimplemented,
}

/// The text in the first field of the message in a request; empty where there is none.
pub fn first_text(body: &[u8]) -> Option<String> {
    let (head, message) = body.split_at_checked(HEAD)?;
    let [compressed, length @ ..] = head else { return None };
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let message = message.get(..usize::try_from(length).ok()?)?;
    if *compressed != 0 {
        return None;
    }
    match fields(message)?.into_iter().find(|(number, _)| *number == 1) {
        Some((_, text)) => String::from_utf8(text.to_vec()).ok(),
        None => Some(String::new()),
    }
}

/// A message whose fields, from the first on, hold these bytes; those that are empty are left out.
pub fn message(fields: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, bytes) in (1_u64..).zip(fields).filter(|(_, bytes)| !bytes.is_empty()) {
        put_number(&mut message, (number << 3) | 2);
        put_number(&mut message, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        message.extend_from_slice(bytes);
    }
    message
}

/// The answer that carries a message.
pub fn reply(message: &[u8]) -> Answer {
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    answer(Full::new(Bytes::from(framed)).with_trailers(async move { Some(Ok(trailers)) }).boxed_unsync())
}

/// The answer that says no.
pub fn refuse(refusal: Refusal) -> Answer {
    let mut refused = answer(Full::new(Bytes::new()).boxed_unsync());
    let code = match refusal {
        Refusal::NotFound => "5",
        Refusal::Unimplemented => "12",
    };
    refused.headers_mut().insert(STATUS, HeaderValue::from_static(code));
    refused
}

fn answer(body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    answer
}

/// The fields of a message that hold bytes; `None` if it is none.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = take_number(&mut message)?;
        let skipped = match tag & 7 {
            0 => {
                take_number(&mut message)?;
                0
            }
            1 => 8,
            2 => {
                let length = usize::try_from(take_number(&mut message)?).ok()?;
                fields.push((tag >> 3, message.get(..length)?));
                length
            }
            5 => 4,
            _ => return None,
        };
        message = message.get(skipped..)?;
    }
    Some(fields)
}

fn take_number(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_number(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(low_bits(number) | 0x80);
        number >>= 7;
    }
    message.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend_from_slice(message);
        framed
    }

    #[test]
    fn a_text_is_read_from_a_request_whatever_else_is_in_it() {
        // Fields 3 (a number), 1 (the text), 2 (bytes) and 4 (eight bytes).
        let message = [&[0x18, 0xac, 0x02, 0x0a, 0x05][..], b"token", &[0x12, 0x01, 0x78, 0x21], &[0; 8]].concat();
        assert_eq!(first_text(&framed(&message)).as_deref(), Some("token"));
        assert_eq!(first_text(&framed(b"")).as_deref(), Some(""));
        let written = super::message(&[b"registry.example.com".as_slice()]);
        assert_eq!(first_text(&framed(&written)).as_deref(), Some("registry.example.com"));
    }

    #[test]
    fn what_is_no_request_is_not_read() {
        let whole = framed(&message(&[b"token".as_slice()]));
        for end in 0..whole.len() {
            assert_eq!(first_text(&whole[..end]), None, "{end}");
        }
        let mut compressed = whole;
        compressed[0] = 1;
        assert_eq!(first_text(&compressed), None);
        assert_eq!(first_text(&framed(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])), None);
        assert_eq!(first_text(&framed(&[0xff; 20])), None);
    }

    #[test]
    fn fields_are_written_in_order_and_empty_ones_left_out() {
        assert_eq!(message(&[b"a".as_slice(), b"bc"]), [0x0a, 1, b'a', 0x12, 2, b'b', b'c']);
        assert_eq!(message(&[b"".as_slice(), b"bc"]), [0x12, 2, b'b', b'c']);
        assert_eq!(message(&[[7; 300].as_slice()])[..3], [0x0a, 0xac, 0x02]);
    }

    #[tokio::test]
    async fn an_answer_has_its_message_and_says_behind_it_that_all_is_well() {
        let body = reply(b"abc").into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap().get(STATUS).unwrap(), "0");
        assert_eq!(body.to_bytes(), [0, 0, 0, 0, 3, b'a', b'b', b'c'].as_slice());
        assert_eq!(refuse(Refusal::NotFound).headers().get(STATUS).unwrap(), "5");
    }
}
