//! What Loki tells log lines apart by, and counts.

use super::{number_unit, text_unit};
use vigil_forms::selector::is_stream_selector;

text_unit! {
    /// Which streams of log lines are meant, as LogQL says it.
    StreamSelector,
    expected: "a selector of streams such as `{namespace=\"dev\", app=~\"web|api\"}`",
    pattern: r"^\{.+\}$",
    check: |text| if is_stream_selector(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// A tenant of Loki: `ValidTenantID` of github.com/grafana/dskit.
    TenantId,
    expected: "the name of a tenant: up to 150 letters, digits and `!-_.*'()`",
    pattern: r"^[A-Za-z0-9!_.*'()-]{1,150}$",
    check: |text| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!-_.*'()".contains(&b);
        match text {
            "." | ".." => Err("not the name of a folder"),
            "__mimir_cluster" => Err("Grafana's own"),
            _ if (1..=150).contains(&text.len()) && text.bytes().all(fits) => Ok(()),
            _ => Err(""),
        }
    }
}

number_unit! {
    /// A number of things.
    Amount of u32, 0 to 1_000_000_000, expected: "a whole number, 0 at least"
}
