//! Settings of programs whose configuration is sections of keys: Grafana's.

use super::text_unit;
use vigil_forms::ini::is_plain_name;

text_unit! {
    /// The name of a section or a key.
    SettingName,
    expected: "a name as in grafana.ini: letters, digits, `_`, `.` and `-`",
    pattern: r"^[A-Za-z0-9_.-]+$",
    check: |text| if is_plain_name(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// The kind of a data source, which is the name of a plugin.
    PluginName,
    expected: "the name of a data source's plugin, such as `postgres` or `elasticsearch`",
    pattern: r"^[a-z0-9][a-z0-9-]*$",
    check: |text| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !text.is_empty() && !text.starts_with('-') && text.bytes().all(fits) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// A plugin at a version.
    PluginVersion,
    expected: "a plugin and its version, such as `grafana-clock-panel@2.1.8`",
    pattern: r"^[a-z0-9][a-z0-9-]*@[0-9][0-9A-Za-z.+-]*$",
    check: |text| {
        let (name, version) = text.split_once('@').ok_or("no `@` with a version: the newest would change by itself")?;
        name.parse::<PluginName>().map_err(|_| "")?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b".+-".contains(&b);
        if version.starts_with(|c: char| c.is_ascii_digit()) && version.bytes().all(fits) { Ok(()) } else { Err("") }
    }
}

impl PluginVersion {
    /// The plugin's name.
    pub fn name(&self) -> &str {
        self.as_str().split('@').next().unwrap_or_default()
    }
}

text_unit! {
    /// A folder of dashboards, which is one of files as well.
    FolderName,
    expected: "the name of a folder: up to 100 bytes on one line, without `/`, and no `.` first",
    pattern: r"^[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]*$",
    check: |text| {
        let fits = !text.starts_with('.') && !text.contains(|c: char| c == '/' || c.is_control());
        if fits && !text.is_empty() && text.len() <= 100 && text.trim() == text { Ok(()) } else { Err("") }
    }
}

/// What a setting shall be: a text, a number or a switch, as the program reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingValue(String);

impl SettingValue {
    const EXPECTED: &str = "a text on one line, a number, `true` or `false`";

    /// The value as the program reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SettingValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Grafana takes these for names of values elsewhere, and Kubernetes the last one in variables.
        if ["${", "$__", "%(", "$("].iter().any(|known| text.contains(known)) {
            return Err("would be replaced by another value; a credential is named below `configSecrets`".to_owned());
        }
        if text.len() > 4096 || text.contains(char::is_control) || text.trim() != text {
            return Err(format!("expected {}", Self::EXPECTED));
        }
        Ok(Self(text.to_owned()))
    }
}

impl serde::Serialize for SettingValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for SettingValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = SettingValue;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(SettingValue::EXPECTED)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SettingValue, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SettingValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SettingValue".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"], "description": Self::EXPECTED })
    }
}
