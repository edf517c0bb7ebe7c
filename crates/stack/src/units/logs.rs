//! What Loki tells log lines apart by, and counts.

use super::{number_unit, text_unit};
use vigil_forms::logs::{is_json_path, is_logfmt_key, is_time_layout};
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

text_unit! {
    /// Where a value is in a line of JSON.
    JsonPath,
    expected: "keys with dots between them, such as `http.status`, `errors[0].code` or, where a key is no name, `\"user-agent\"`",
    pattern: r#"^(([A-Za-z_][A-Za-z0-9_]*|"[^"]+")(\[-?[0-9]+\])*(\.|$))+$"#,
    check: |text| if is_json_path(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// A key in a line of logfmt.
    LogfmtKey,
    expected: "a key without spaces, quotes and `=`",
    pattern: r#"^[^\s="]+$"#,
    check: |text| if is_logfmt_key(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// How a time is written in log lines.
    TimeLayout,
    expected: "a known form such as `RFC3339Nano` or `UnixMs`, or 3:04:05 PM of 2 January 2006 as it would stand in a line: \
               `2006-01-02 15:04:05`",
    pattern: r"^(ANSIC|UnixDate|RubyDate|RFC822Z?|RFC850|RFC1123Z?|RFC3339(Nano)?|Unix(Ms|Us|Ns)?|[^%]*(15|03)[^%]*|([^%]*[^%0-9])?3([^%0-9][^%]*)?)$",
    check: |text| if is_time_layout(text) { Ok(()) } else { Err("") }
}

number_unit! {
    /// A number of things.
    Amount of u32, 0 to 1_000_000_000, expected: "a whole number, 0 at least"
}
