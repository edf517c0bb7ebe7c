//! Values with a form of their own. Each is checked when it is read, and afterwards simply true.

mod alerting;
mod calendar;
mod checks;
mod file;
mod git;
mod image;
mod logs;
mod measure;
mod name;
mod network;
mod setting;
mod storage;

pub use alerting::{
    AlertName, Authorization, ChatId, Email, Expression, GroupLabel, HostPort, Line, Matcher, MetricLabel,
    ReceiverName, SecretKey,
};
pub use calendar::{ClockTime, Date, DayRange, MonthRange, TimeZone, WeekdayRange, YearRange};
pub use checks::{KindName, ObjectName, ObjectTitle, Pointer, Reason, RuleName};
pub use file::{DashboardId, DashboardRevision, FilePath, FolderOfContainer, LayerPath, UserId};
pub use git::{FolderPath, GitRevision, GitUrl, OciUrl};
pub use image::{Image, Registry};
pub use logs::{Amount, JsonPath, LogfmtKey, StreamSelector, TenantId, TimeLayout};
pub use measure::{ByteSize, Days, Duration, KubernetesVersion, Percent, Quantity};
pub use name::{
    AllowedLabel, AnnotationKey, AnnotationValue, DnsLabel, DnsSubdomain, FreeLabelKey, LabelKey, LabelValue,
    LoadBalancerClass, StackName,
};
pub use network::{Cidr, HttpPath, IpAddress, NodePort, Port, Region, Replicas, Url};
pub use setting::{FolderName, PluginName, PluginVersion, SettingName, SettingValue};
pub use storage::{AzureAccount, BucketName, Endpoint};

/// Declares a unit that is written as text: a newtype that only [`std::str::FromStr`] makes, with `check` as its rule.
///
/// `expected` completes "expected …" in messages and is the description of the unit in the JSON schema; `pattern` is
/// what an editor can tell early, `check` has the last word.
macro_rules! text_unit {
    ($(#[$doc:meta])* $name:ident, expected: $expected:literal, pattern: $pattern:literal, check: $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The unit for a text that the source code knows to be valid: a default. A test reads all defaults back.
            #[allow(dead_code, reason = "not every unit has a default")]
            pub(crate) fn known(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err("") => Err(concat!("expected ", $expected).to_owned()),
                    Err(reason) => Err(format!("{reason}; expected {}", $expected)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $expected, "pattern": $pattern })
            }
        }
    };
}

/// Declares a unit that is a whole number between two bounds: one of 16 bits, or `of u32`.
macro_rules! number_unit {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:literal, expected: $expected:literal) => {
        number_unit! { $(#[$doc])* $name of u16, $min to $max, expected: $expected }
    };
    ($(#[$doc:meta])* $name:ident of $number:ty, $min:literal to $max:literal, expected: $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        pub struct $name($number);

        impl $name {
            /// The number.
            pub fn get(self) -> $number {
                self.0
            }

            /// The unit for a number that the source code knows to be valid: a default. A test reads all defaults back.
            #[allow(dead_code, reason = "not every unit has a default")]
            pub(crate) const fn known(number: $number) -> Self {
                Self(number)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Number;
                impl serde::de::Visitor<'_> for Number {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$name, E> {
                        match <$number>::try_from(number) {
                            Ok(number) if ($min..=$max).contains(&number) => Ok($name(number)),
                            _ => Err(E::invalid_value(serde::de::Unexpected::Signed(number), &self)),
                        }
                    }
                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        match i64::try_from(number) {
                            Ok(number) => self.visit_i64(number),
                            Err(_) => Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self)),
                        }
                    }
                }
                deserializer.deserialize_u16(Number)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "integer", "description": $expected, "minimum": $min, "maximum": $max
                })
            }
        }
    };
}

use {number_unit, text_unit};

#[cfg(test)]
mod tests;
