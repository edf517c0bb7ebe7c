//! Matchers of labels as PromQL and LogQL have them: `job="a"`, `job!~"a|b"`.

use crate::regex;
use std::fmt;

/// A label, and what its value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// How it is compared.
    pub op: MatchOp,
    /// With what.
    pub value: String,
    /// What has no such label matches.
    pub matches_empty: bool,
}

/// How a label's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `=~`: by a regular expression of Go's, for the whole value.
    Regex,
    /// `!~`.
    NotRegex,
}

impl MatchOp {
    /// The one that is written so.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "=" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            "=~" => Some(Self::Regex),
            "!~" => Some(Self::NotRegex),
            _ => None,
        }
    }

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

impl Matcher {
    /// A matcher.
    ///
    /// # Errors
    /// What is wrong with the regular expression.
    pub fn new(name: String, op: MatchOp, value: String) -> Result<Self, regex::Wrong> {
        let matches_empty = match op {
            MatchOp::Equal => value.is_empty(),
            MatchOp::NotEqual => !value.is_empty(),
            MatchOp::Regex => regex::go(&value)?.matches_empty,
            MatchOp::NotRegex => !regex::go(&value)?.matches_empty,
        };
        Ok(Self { name, op, value, matches_empty })
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}{:?}", self.name, self.op.word(), self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_nothing_at_all() {
        for (op, value, expected) in [
            ("=", "", true),
            ("=", "a", false),
            ("!=", "", false),
            ("!=", "a", true),
            ("=~", "a|", true),
            ("=~", ".+", false),
            ("!~", ".*", false),
            ("!~", "a", true),
        ] {
            let matcher = Matcher::new("l".to_owned(), MatchOp::of(op).unwrap(), value.to_owned()).unwrap();
            assert_eq!(matcher.matches_empty, expected, "{matcher}");
            assert_eq!(matcher.op.word(), op);
        }
        assert!(Matcher::new("l".to_owned(), MatchOp::NotRegex, "(".to_owned()).is_err());
        assert_eq!(MatchOp::of("=="), None);
    }
}
