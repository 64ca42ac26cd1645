//! Data that can be learned from in a moment.

use std::fmt::Write;

/// A record that the model of [`customers`] predicts to be `gold`.
pub const RECORD: &str = r#"{"age": 41, "income": 95.5}"#;

/// A CSV of so many customers, no two of them equal: who earns much is `gold`, all others are `plain`.
pub fn customers(first: u32, count: u32) -> String {
    let mut text = String::from("age,income,kind\n");
    for row in first..first + count {
        let age = 20 + row * 7 % 50;
        let income = row * 37 % 100;
        let kind = if income > 55 { "gold" } else { "plain" };
        writeln!(text, "{age},{income}.{row:04},{kind}").unwrap();
    }
    text
}
