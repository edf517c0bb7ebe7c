//! How much a quantity is.

use vigil_yaml::{Data, Node};

/// The number that a quantity stands for.
pub(super) fn quantity(node: &Node) -> Option<f64> {
    let Data::Scalar(scalar) = &node.data else { return None };
    value(&scalar.text)
}

fn value(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024f64,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => 10f64.powi(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Whether one is more than the other, and not only by how floats are rounded.
pub(super) fn exceeds(one: f64, other: f64) -> bool {
    one - other > other.abs() * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, expected) in [
            ("1", 1.0),
            ("-1.5", -1.5),
            ("100m", 0.1),
            ("1Ki", 1024.0),
            ("1e3", 1e3),
            ("2E-1", 0.2),
            ("5E", 5e18),
            (".5", 0.5),
        ] {
            let found = value(text).unwrap();
            assert!((found - expected).abs() <= expected.abs() * 1e-12, "{text}: {found}");
        }
        for text in ["", "a", "1Kib", "1e"] {
            assert_eq!(value(text), None, "{text}");
        }
        assert!(exceeds(1.1, 1.0) && exceeds(0.0, -1.0) && exceeds(1.0, 0.0));
        assert!(!exceeds(0.1 + 0.2, 0.3) && !exceeds(1.0, 1.0) && !exceeds(-1.0, 0.0));
    }
}
