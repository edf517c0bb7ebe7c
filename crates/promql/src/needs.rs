//! What only some releases of Prometheus know.

use std::fmt;
use std::ops::Range;

/// A release of Prometheus: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u16, pub u16);

impl fmt::Display for Release {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0, self.1)
    }
}

/// Something in a query that not every Prometheus takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is, as in `the function info`.
    pub what: String,
    /// Where it stands in the query.
    pub span: Range<usize>,
    /// The first release that knows it, and the last one.
    pub since: Option<Release>,
    /// The last release that takes it, where later ones refuse it.
    pub until: Option<Release>,
    /// The value of `--enable-feature` that it needs, and the first release that does without.
    pub flag: Option<(&'static str, Option<Release>)>,
}

impl Need {
    /// Whether a Prometheus of this release takes it, if it runs with the flags for which `has_flag` is true.
    pub fn is_met(&self, release: Release, has_flag: impl Fn(&str) -> bool) -> bool {
        let is_known =
            self.since.is_none_or(|since| release >= since) && self.until.is_none_or(|until| release <= until);
        let is_free = |stable: Option<Release>| stable.is_some_and(|stable| release >= stable);
        is_known && self.flag.is_none_or(|(flag, stable)| is_free(stable) || has_flag(flag))
    }
}

pub(crate) const FUNCTIONS: &str = "promql-experimental-functions";
pub(crate) const DURATIONS: (&str, Option<Release>) = ("promql-duration-expr", Some(Release(3, 14)));
pub(crate) const RANGES: (&str, Option<Release>) = ("promql-extended-range-selectors", Some(Release(3, 16)));
pub(crate) const FILL: (&str, Option<Release>) = ("promql-binop-fill-modifiers", None);
