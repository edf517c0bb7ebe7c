//! Times, sizes, quantities and versions.

use super::{number_unit, text_unit};
use vigil_forms::{duration, quantity};

text_unit! {
    /// A Prometheus duration, as in `model.ParseDuration` of prometheus/common: `1h30m`, units from large to small.
    Duration,
    expected: "a duration such as `10d` or `1h30m` (units y, w, d, h, m, s, ms, from large to small)",
    pattern: r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
    check: |text| match duration::prometheus(text) {
        Ok(_) => Ok(()),
        Err(duration::Wrong::Empty) => Err("empty"),
        Err(duration::Wrong::NoUnit) => Err("no unit"),
        Err(duration::Wrong::TooLong) => Err("longer than 292 years"),
        Err(duration::Wrong::Form) => Err(""),
    }
}

impl Duration {
    /// The length.
    pub fn length(&self) -> std::time::Duration {
        duration::prometheus(self.as_str()).unwrap_or(std::time::Duration::MAX)
    }

    /// The length in hours as Go's `time.ParseDuration` reads it, for programs that know no days: `7d` is `168h`.
    /// `None` when it is not a whole number of hours.
    pub fn as_hours(&self) -> Option<u64> {
        let length = self.length();
        (length.subsec_millis() == 0 && length.as_secs().is_multiple_of(3600)).then_some(length.as_secs() / 3600)
    }

    /// The length as Go's `time.ParseDuration` reads it, in the largest unit that it is a whole number of.
    pub fn as_go(&self) -> String {
        let millis = self.length().as_millis();
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
        let (unit, length) = units.into_iter().find(|(_, length)| millis.is_multiple_of(*length)).unwrap_or(("ms", 1));
        format!("{}{unit}", millis / length)
    }
}

text_unit! {
    /// A size as Prometheus flags and the operator's custom resources take it; a K is 1024 with or without an i.
    ByteSize,
    expected: "a size such as `512MB` or `1GiB`",
    pattern: r"^(0|([0-9]*\.)?[0-9]+([KMGTPE]i?)?B)$",
    check: |text| {
        if text == "0" {
            return Ok(());
        }
        let number = text.strip_suffix('B').ok_or("no `B` at the end")?;
        let number = number.strip_suffix('i').unwrap_or(number);
        let bare = number.strip_suffix(['K', 'M', 'G', 'T', 'P', 'E']).unwrap_or(number);
        let (whole, fraction) = bare.split_once('.').unwrap_or(("", bare));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        // An i without a letter before it (`1iB`) is no unit.
        let lone_i = number.len() == bare.len() && text.ends_with("iB");
        if !digits(whole) || !digits(fraction) || fraction.is_empty() || lone_i {
            return Err("");
        }
        let steps = " KMGTPE".find(&number[bare.len()..]).unwrap_or_default();
        let bytes = (0..steps).fold(bare.parse().unwrap_or(f64::INFINITY), |size, _| size * 1024.0);
        // Prometheus counts bytes in signed 64 bits.
        if bytes < 2_f64.powi(63) { Ok(()) } else { Err("8EiB or more, which Prometheus cannot count") }
    }
}

impl ByteSize {
    /// The size in bytes.
    pub fn as_bytes(&self) -> f64 {
        let number = self.as_str().trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let power = self.as_str()[number.len()..]
            .bytes()
            .next()
            .and_then(|unit| b"KMGTPE".iter().position(|known| *known == unit));
        let factor = power.map_or(1.0, |power| [1, 2, 3, 4, 5, 6].map(|power| 1024.0_f64.powi(power))[power]);
        number.parse::<f64>().unwrap_or(f64::NAN) * factor
    }
}

text_unit! {
    /// A Kubernetes resource quantity: `100m`, `1.5`, `256Mi`, `1e3`. Never negative here.
    ///
    /// See <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
    Quantity,
    expected: "a quantity such as `100m`, `0.5` or `256Mi`",
    pattern: r"^([0-9]+\.?[0-9]*|\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?$",
    check: |text| match quantity::Quantity::parse_amount(text) {
        Ok(_) => Ok(()),
        Err(quantity::Wrong::Sign) if text.starts_with('-') => Err("negative"),
        Err(quantity::Wrong::Unit) if text.ends_with('B') => Err("bytes have no `B` here"),
        Err(_) => Err(""),
    }
}

impl Quantity {
    /// The value in thousandths of the unit (CPU milli-cores, thousandths of bytes), for comparing two quantities.
    pub fn as_thousandths(&self) -> f64 {
        quantity::Quantity::parse(self.as_str()).map_or(f64::NAN, |quantity| quantity.as_f64() * 1000.0)
    }
}

text_unit! {
    /// A Kubernetes minor version.
    KubernetesVersion,
    expected: "a Kubernetes version such as `1.29`, from 1.29 on",
    pattern: r"^1\.(29|[3-9][0-9])$",
    check: |text| {
        let minor = text.strip_prefix("1.").ok_or("")?;
        match minor.parse::<u16>() {
            Ok(29..100) if !minor.starts_with('+') => Ok(()),
            Ok(0..29) => Err("older than this tool knows"),
            _ => Err(""),
        }
    }
}

impl KubernetesVersion {
    /// The minor version: 29 of `1.29`.
    pub fn minor(&self) -> u16 {
        self.as_str().strip_prefix("1.").and_then(|minor| minor.parse().ok()).unwrap_or_default()
    }
}

number_unit! {
    /// A share of a whole, in percent.
    Percent, 1 to 100, expected: "a percentage from 1 to 100"
}

number_unit! {
    /// A number of days.
    Days, 1 to 3650, expected: "a number of days from 1 to 3650"
}
