//! Amounts of memory as people write them for containers: `512Mi`, `1.5Gi`, `200M`.
//!
//! The units are those of Kubernetes. `m` and `g`, as Docker writes them, are refused: to Kubernetes `m` is a
//! thousandth of a byte, and what a limit means must not depend on where the container runs.

/// The least amount, below which no container can be started, and how it is written.
pub(super) const LEAST: (u64, &str) = (4 << 20, "4Mi");

/// An amount as the JSON schema knows it.
pub(super) const PATTERN: &str = r"^\s*[0-9]+(\.[0-9]{1,9})?\s*(Ki|Mi|Gi|k|K|M|G)?\s*$";

/// The units, each with its bytes.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

/// The most digits behind the point; further ones would be less than a byte of the greatest unit.
const DIGITS: usize = 9;

/// Why a text is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MemoryError {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// It does not begin with a number.
    #[error("it does not begin with a number")]
    NoNumber,
    /// What it begins with is no number.
    #[error("`{0}` is no number")]
    BadNumber(String),
    /// A unit that does not exist.
    #[error("`{0}` is no unit")]
    UnknownUnit(String),
    /// More bytes than the engines can count.
    #[error("it is too much")]
    TooMuch,
}

/// The bytes that a text stands for.
pub(super) fn bytes(text: &str) -> Result<u64, MemoryError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(MemoryError::Empty);
    }
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return Err(MemoryError::NoNumber);
    }
    let unit = unit.trim();
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(MemoryError::UnknownUnit(unit.to_owned()));
    };
    scaled(number, u128::from(*factor))
}

/// A number with or without a point, times `factor`. Exact, as a float is not.
fn scaled(number: &str, factor: u128) -> Result<u64, MemoryError> {
    let bad = || MemoryError::BadNumber(number.to_owned());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') || fraction.len() > DIGITS {
        return Err(bad());
    }
    let whole: u128 = whole.parse().map_err(|_| MemoryError::TooMuch)?;
    let parts: u128 = fraction.parse().map_err(|_| bad())?;
    let scale = fraction.chars().fold(1_u128, |scale, _| scale * 10);
    let total = whole.checked_mul(factor).and_then(|bytes| bytes.checked_add(parts * factor / scale));
    // The engines count bytes with a sign.
    let total = total.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes <= u64::MAX >> 1);
    total.ok_or(MemoryError::TooMuch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        assert_eq!(bytes("8388608"), Ok(8 << 20));
        assert_eq!(bytes("8192Ki"), Ok(8 << 20));
        assert_eq!(bytes("512Mi"), Ok(512 << 20));
        assert_eq!(bytes(" 2 Gi "), Ok(2 << 30));
        assert_eq!(bytes("1.5Gi"), Ok(3 << 29));
        assert_eq!((bytes("9000k"), bytes("9000K")), (Ok(9_000_000), Ok(9_000_000)));
        assert_eq!((bytes("200M"), bytes("0.2G")), (Ok(200_000_000), Ok(200_000_000)));
    }

    #[test]
    fn what_is_no_amount_says_why() {
        assert_eq!(bytes(" "), Err(MemoryError::Empty));
        assert_eq!(bytes("Mi"), Err(MemoryError::NoNumber));
        assert_eq!(bytes("-5Mi"), Err(MemoryError::NoNumber));
        assert_eq!(bytes("512m"), Err(MemoryError::UnknownUnit("m".to_owned())));
        assert_eq!(bytes("512MB"), Err(MemoryError::UnknownUnit("MB".to_owned())));
        assert_eq!(bytes("1.2.3Gi"), Err(MemoryError::BadNumber("1.2.3".to_owned())));
        assert_eq!(bytes(".5Gi"), Err(MemoryError::BadNumber(".5".to_owned())));
        assert_eq!(bytes("1.Gi"), Err(MemoryError::BadNumber("1.".to_owned())));
        assert_eq!(bytes("9223372036854775807"), Ok(u64::MAX >> 1));
        assert_eq!(bytes("9223372036854775808"), Err(MemoryError::TooMuch));
        assert_eq!(bytes(&"9".repeat(100)), Err(MemoryError::TooMuch));
    }
}
