//! The small grammars that many files are made of, each once: names, quantities, lengths of time, images, addresses,
//! URLs, schedules, times and days, INI, label selectors, matchers of labels, texts in quotes and regular expressions.
//!
//! Each is read as the program reads it that has the last word, an API server, Prometheus, Docker or Grafana, and the
//! module says which function that is. Where this project asks for more, a second function beside the first says so.
//! Nothing here knows of files, messages or findings: an error says what is wrong, and the caller finds the words.

pub mod address;
pub mod calendar;
pub mod cron;
pub mod duration;
pub mod image;
pub mod ini;
pub mod logs;
pub mod matcher;
pub mod name;
pub mod quantity;
pub mod regex;
pub mod selector;
pub mod template;
pub mod text;
pub mod url;

use std::fmt::Write as _;

/// Bytes in hexadecimal digits.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let mut digits = String::new();
    for byte in bytes.as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
