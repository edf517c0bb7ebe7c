//! Quantities of the Kubernetes API, sizes of Prometheus, and percentages.

/// A quantity: `100m`, `1.5`, `256Mi`, `1e3`.
///
/// The grammar is the documented one of `resource.Quantity` in k8s.io/apimachinery: a sign, a decimal number with at
/// least one digit, and a suffix or an exponent. (`ParseQuantity` also takes a lone `+`, `.` or `m` for zero.)
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity<'a> {
    is_negative: bool,
    /// Digits, and one point at most.
    number: &'a str,
    unit: Unit,
}

/// What the number of a quantity is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// A power of ten.
    Ten(i32),
    /// A power of two.
    Two(u8),
}

/// What is wrong with a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A sign, where none may stand.
    Sign,
    /// No number at the start, or one with two points.
    Number,
    /// A suffix that is none, or an exponent without digits.
    Unit,
    /// More digits than are taken.
    Size,
}

impl<'a> Quantity<'a> {
    /// The quantity that an API server reads. As in `Quantity.UnmarshalJSON`, spaces around it do no harm.
    pub fn parse(text: &'a str) -> Result<Self, Wrong> {
        Self::read(text.trim_matches(' '))
    }

    /// A quantity as people write an amount of something: without a sign or spaces, and with no more digits than anybody
    /// needs.
    pub fn parse_amount(text: &'a str) -> Result<Self, Wrong> {
        if text.starts_with(['+', '-']) {
            return Err(Wrong::Sign);
        }
        let quantity = Self::read(text)?;
        let is_moderate = quantity.number.len() < 20 && !matches!(quantity.unit, Unit::Ten(power) if power.abs() > 99);
        if is_moderate { Ok(quantity) } else { Err(Wrong::Size) }
    }

    fn read(text: &'a str) -> Result<Self, Wrong> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.bytes().position(|b| !b.is_ascii_digit() && b != b'.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let points = number.bytes().filter(|b| *b == b'.').count();
        if points > 1 || number.len() == points {
            return Err(Wrong::Number);
        }
        let unit = Unit::read(suffix).ok_or(Wrong::Unit)?;
        Ok(Self { is_negative: text.starts_with('-'), number, unit })
    }

    /// What it is worth, in billionths; none for what has more digits than can be counted. As for an API server, any part of
    /// a billionth is one, and a suffix such as `Gi` leads to no more than 64 bits hold.
    pub fn nanos(&self) -> Option<i128> {
        const BILLION: i128 = 1_000_000_000;
        let (whole, fraction) = self.number.split_once('.').unwrap_or((self.number, ""));
        // Trailing zeros say nothing, and would only overflow.
        let fraction = fraction.trim_end_matches('0');
        let (factor, power) = match self.unit {
            Unit::Ten(power) => (1, power),
            Unit::Two(power) => {
                let most = i64::MAX >> power;
                if decimal(whole, "").is_none_or(|whole| whole > i128::from(most)) {
                    return Some(self.signed(i128::from(i64::MAX) * BILLION));
                }
                (1_i128 << power, 0)
            }
        };
        let amount = decimal(whole, fraction)?.checked_mul(factor)?;
        let scale = power.checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(9)?;
        let amount = match (amount, 10_i128.checked_pow(scale.unsigned_abs())) {
            (0, _) => 0,
            (amount, Some(scaling)) if scale >= 0 => amount.checked_mul(scaling)?,
            (amount, Some(scaling)) => amount / scaling + i128::from(amount % scaling != 0),
            (_, None) if scale < 0 => 1,
            (_, None) => return None,
        };
        let most = if factor == 1 { i128::MAX } else { i128::from(i64::MAX) * BILLION };
        Some(self.signed(amount.min(most)))
    }

    fn signed(&self, amount: i128) -> i128 {
        if self.is_negative { -amount } else { amount }
    }

    /// What it is worth, as near as a float comes to it.
    pub fn as_f64(&self) -> f64 {
        let factor = match self.unit {
            Unit::Ten(power) => 10_f64.powi(power),
            Unit::Two(power) => 2_f64.powi(power.into()),
        };
        // A number in the form of `read` is one that Rust reads.
        let amount = self.number.parse().unwrap_or(f64::INFINITY) * factor;
        if self.is_negative { -amount } else { amount }
    }
}

/// What a quantity is worth, in billionths; none for what is no quantity, or larger than can be counted.
pub fn nanos(text: &str) -> Option<i128> {
    Quantity::parse(text).ok()?.nanos()
}

impl Unit {
    fn read(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "" => Self::Ten(0),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            // `parse` knows the sign, and nothing else that is no digit.
            _ => Self::Ten(suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|power: &i32| power.abs() < BOUND)?),
        })
    }
}

/// What no exponent reaches. An API server takes some more, and cuts them short.
const BOUND: i32 = 1_000_000_000;

/// The number of these digits, if it can be counted.
fn decimal(whole: &str, fraction: &str) -> Option<i128> {
    whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))
}

/// The one spelling of an amount, in billionths: `100m` for `0.1`, `1Gi` for `1024Mi`.
pub fn spelled(nanos: i128) -> String {
    const BILLION: i128 = 1_000_000_000;
    if nanos % BILLION != 0 {
        let units = [(1_000_000, "m"), (1000, "u")].into_iter().find(|(unit, _)| nanos % unit == 0);
        let (unit, suffix) = units.unwrap_or((1, "n"));
        return format!("{}{suffix}", nanos / unit);
    }
    let value = nanos / BILLION;
    let units = [(60, "Ei"), (50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    match units.into_iter().find(|(power, _)| value != 0 && value % (1 << power) == 0) {
        Some((power, suffix)) => format!("{}{suffix}", value >> power),
        None => value.to_string(),
    }
}

/// `10%`: the number. One too large for 64 bits is as large as one can be.
///
/// `IsValidPercent` of k8s.io/apimachinery, which says whether an `IntOrString` is a percentage.
pub fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities() {
        for text in ["0", "1", "-1", "+1.5", ".5", "5.", "100m", "1Gi", "1e3", "1E-3", "12E", "1k", "0.1n", " 1 "] {
            assert!(Quantity::parse(text).is_ok(), "{text}");
        }
        for text in ["1e99", "1e+2", "1e-40", "99999999999999999999999999999999999999999999"] {
            assert!(Quantity::parse(text).is_ok(), "{text}");
        }
        for text in ["", "m", "1KB", "1gi", "1 Gi", "1.2.3", "1e", "1K", "0x1", "1Mib", "--1", ".", "1GiB", "1e 1"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
        for text in ["1e+-1", "1e+", "1ee1", "1e1.5", "1e9999999999", "\t1", "e3", "-"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
        assert_eq!((Quantity::parse("1GB"), Quantity::parse("GB")), (Err(Wrong::Unit), Err(Wrong::Number)));
    }

    #[test]
    fn amounts_have_no_sign_and_few_digits() {
        for text in ["0", "100m", "1.5", "256Mi", "1e3", "1E-2", ".5", "5.", "4Ki", "1E", "1e99"] {
            assert_eq!(Quantity::parse_amount(text), Quantity::parse(text), "{text}");
        }
        for (text, wrong) in [
            ("-1", Wrong::Sign),
            ("+1", Wrong::Sign),
            (" 1", Wrong::Number),
            ("1 ", Wrong::Unit),
            ("1e100", Wrong::Size),
            ("00000000000000000001", Wrong::Size),
        ] {
            assert_eq!(Quantity::parse_amount(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn quantities_are_compared_by_what_they_are_worth() {
        for (text, same) in [
            ("1", "1000m"),
            ("1.5", "1500m"),
            ("1Ki", "1024"),
            ("0.5Gi", "512Mi"),
            ("1e3", "1k"),
            ("1E-3", "1m"),
            ("1E", "1000P"),
            ("+1", "1.000000000000000000000000000000000000000"),
            ("0.1n", "1n"),
            ("0e100", "0"),
            ("-0", "0"),
            (".5", "500m"),
            ("5.", "5"),
            ("1e-40", "1n"),
            ("-1e-40", "-1n"),
            ("0.0001Ki", "102400u"),
            // A server counts binary units up to 64 bits, and decimal ones beyond.
            ("8Ei", "9223372036854775807"),
            ("-9999999999999999999999999999999999999999999Ki", "-9223372036854775807"),
            ("9007199254740991.9999Ki", "8Ei"),
            ("9007199254740991.5Ki", "9223372036854775296"),
        ] {
            assert!(nanos(text).is_some(), "{text}");
            assert_eq!(nanos(text), nanos(same), "{text} and {same}");
        }
        assert!(nanos("100m") < nanos("1") && nanos("-1") < nanos("0") && nanos("1G") < nanos("1Gi"));
        assert!(nanos("9E") < nanos("10E"));
        for text in ["", "-", ".", "1.2.3", "1GB", "1e", "1e99", "e3", "1 Gi"] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[test]
    fn equal_amounts_have_one_spelling() {
        for (text, spelling) in [
            ("0.1", "100m"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1G", "1000000000"),
            ("1e3", "1000"),
            ("0.0001", "100u"),
            ("1.000000001", "1000000001n"),
            ("-1Ki", "-1Ki"),
            ("100m", "100m"),
            ("18446744073709551615Ei", "9223372036854775807"),
            ("-1", "-1"),
            ("0", "0"),
        ] {
            assert_eq!(nanos(text).map(spelled).as_deref(), Some(spelling), "{text}");
        }
    }

    #[test]
    fn percentages() {
        for (text, expected) in [("0%", 0), ("050%", 50), ("101%", 101), ("99999999999999999999%", u64::MAX)] {
            assert_eq!(percent(text), Some(expected), "{text}");
        }
        for text in ["", "%", "1", "-1%", "1.5%", "+5%", "5 %"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_spelling_is_worth_what_it_spells(amount in -(1_i128 << 90)..(1_i128 << 90), power in 0_u32..28) {
            let amount = amount / 10_i128.pow(power);
            // What is more than 64 bits hold, has no binary spelling that a server would not cut short.
            let most = i128::from(i64::MAX) * 1_000_000_000;
            prop_assume!(amount.abs() <= most);
            prop_assert_eq!(nanos(&spelled(amount)), Some(amount));
        }

        #[test]
        fn floats_are_near(text in r"[0-9]{1,9}(\.[0-9]{0,6})?(m|k|M|G|Ki|Mi|Gi|e[0-9])?") {
            let quantity = Quantity::parse_amount(&text).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "near is enough")]
            let exact = quantity.nanos().unwrap() as f64 / 1e9;
            prop_assert!((quantity.as_f64() - exact).abs() <= exact * 1e-9 + 1e-9, "{} {}", quantity.as_f64(), exact);
        }

        #[test]
        fn any_text_is_read(text in r"[-+ ]?[0-9.]{0,50}([numkMGTPEi]{0,2}|[eE][-+]?[0-9]{0,12})|\PC*") {
            let _ = Quantity::parse(&text).map(|quantity| (quantity.nanos(), quantity.as_f64()));
        }
    }
}
