//! The functions of PromQL.
//!
//! Source: `promql/parser/functions.go` of Prometheus v0.308.1 to v0.316.0; of 2.55, what 3.0 took away.

use crate::needs::Release;
use crate::types::Type::{self, Matrix, Scalar, String, Vector};

/// A function.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments.
    pub arguments: &'static [Type],
    /// How many arguments there may be.
    pub count: Count,
    /// The type of its value.
    pub returns: Type,
    pub(crate) life: Life,
}

/// How many arguments a function takes, by the types that it lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// As many as there are types.
    All,
    /// The last type may be left out, or come up to so many times.
    UpTo(usize),
    /// The last type may be left out, or come any number of times.
    Any,
}

/// Since when it is known, until when, and since when without a feature flag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Stable,
    StableSince(Release),
    Experimental,
    ExperimentalSince(Release),
    Until(Release),
}

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

/// All names, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

macro_rules! functions {
    ($($name:ident [$($type:ident),*] $count:expr, $returns:ident, $life:expr;)*) => {
        const FUNCTIONS: &[Function] = &[$(Function {
            name: stringify!($name),
            arguments: &[$($type),*],
            count: $count,
            returns: $returns,
            life: $life,
        },)*];
    };
}

use Count::{All, Any, UpTo};
use Life::{Experimental, ExperimentalSince, Stable, StableSince, Until};

functions! {
    abs [Vector] All, Vector, Stable;
    absent [Vector] All, Vector, Stable;
    absent_over_time [Matrix] All, Vector, Stable;
    acos [Vector] All, Vector, Stable;
    acosh [Vector] All, Vector, Stable;
    asin [Vector] All, Vector, Stable;
    asinh [Vector] All, Vector, Stable;
    atan [Vector] All, Vector, Stable;
    atanh [Vector] All, Vector, Stable;
    avg_over_time [Matrix] All, Vector, Stable;
    ceil [Vector] All, Vector, Stable;
    changes [Matrix] All, Vector, Stable;
    clamp [Vector, Scalar, Scalar] All, Vector, Stable;
    clamp_max [Vector, Scalar] All, Vector, Stable;
    clamp_min [Vector, Scalar] All, Vector, Stable;
    cos [Vector] All, Vector, Stable;
    cosh [Vector] All, Vector, Stable;
    count_over_time [Matrix] All, Vector, Stable;
    day_of_month [Vector] UpTo(1), Vector, Stable;
    day_of_week [Vector] UpTo(1), Vector, Stable;
    day_of_year [Vector] UpTo(1), Vector, Stable;
    days_in_month [Vector] UpTo(1), Vector, Stable;
    deg [Vector] All, Vector, Stable;
    delta [Matrix] All, Vector, Stable;
    deriv [Matrix] All, Vector, Stable;
    double_exponential_smoothing [Matrix, Scalar, Scalar] All, Vector, ExperimentalSince(Release(3, 0));
    end [] All, Scalar, ExperimentalSince(Release(3, 12));
    exp [Vector] All, Vector, Stable;
    first_over_time [Matrix] All, Vector, StableSince(Release(3, 14));
    floor [Vector] All, Vector, Stable;
    histogram_avg [Vector] All, Vector, StableSince(Release(2, 51));
    histogram_count [Vector] All, Vector, Stable;
    histogram_fraction [Scalar, Scalar, Vector] All, Vector, Stable;
    histogram_quantile [Scalar, Vector] All, Vector, Stable;
    histogram_quantiles [Vector, String, Scalar, Scalar] UpTo(9), Vector, ExperimentalSince(Release(3, 11));
    histogram_stddev [Vector] All, Vector, StableSince(Release(2, 46));
    histogram_stdvar [Vector] All, Vector, StableSince(Release(2, 46));
    histogram_sum [Vector] All, Vector, Stable;
    holt_winters [Matrix, Scalar, Scalar] All, Vector, Until(Release(2, 55));
    hour [Vector] UpTo(1), Vector, Stable;
    idelta [Matrix] All, Vector, Stable;
    increase [Matrix] All, Vector, Stable;
    info [Vector, Vector] UpTo(1), Vector, ExperimentalSince(Release(2, 55));
    integral [Matrix, Scalar] UpTo(1), Vector, ExperimentalSince(Release(3, 16));
    irate [Matrix] All, Vector, Stable;
    label_join [Vector, String, String, String] Any, Vector, Stable;
    label_replace [Vector, String, String, String, String] All, Vector, Stable;
    last_over_time [Matrix] All, Vector, Stable;
    ln [Vector] All, Vector, Stable;
    log10 [Vector] All, Vector, Stable;
    log2 [Vector] All, Vector, Stable;
    mad_over_time [Matrix] All, Vector, ExperimentalSince(Release(2, 49));
    max_of [Scalar, Scalar] All, Scalar, ExperimentalSince(Release(3, 13));
    max_over_time [Matrix] All, Vector, Stable;
    min_of [Scalar, Scalar] All, Scalar, ExperimentalSince(Release(3, 13));
    min_over_time [Matrix] All, Vector, Stable;
    minute [Vector] UpTo(1), Vector, Stable;
    month [Vector] UpTo(1), Vector, Stable;
    pi [] All, Scalar, Stable;
    predict_linear [Matrix, Scalar] All, Vector, Stable;
    present_over_time [Matrix] All, Vector, Stable;
    quantile_over_time [Scalar, Matrix] All, Vector, Stable;
    rad [Vector] All, Vector, Stable;
    range [] All, Scalar, ExperimentalSince(Release(3, 12));
    rate [Matrix] All, Vector, Stable;
    resets [Matrix] All, Vector, Stable;
    round [Vector, Scalar] UpTo(1), Vector, Stable;
    scalar [Vector] All, Scalar, Stable;
    sgn [Vector] All, Vector, Stable;
    sin [Vector] All, Vector, Stable;
    sinh [Vector] All, Vector, Stable;
    sort [Vector] All, Vector, Stable;
    sort_by_label [Vector, String] Any, Vector, ExperimentalSince(Release(2, 49));
    sort_by_label_desc [Vector, String] Any, Vector, ExperimentalSince(Release(2, 49));
    sort_desc [Vector] All, Vector, Stable;
    sqrt [Vector] All, Vector, Stable;
    start [] All, Scalar, ExperimentalSince(Release(3, 12));
    start_timestamp [Vector] All, Vector, ExperimentalSince(Release(3, 14));
    stddev_over_time [Matrix] All, Vector, Stable;
    stdvar_over_time [Matrix] All, Vector, Stable;
    step [] All, Scalar, ExperimentalSince(Release(3, 12));
    sum_over_time [Matrix] All, Vector, Stable;
    tan [Vector] All, Vector, Stable;
    tanh [Vector] All, Vector, Stable;
    time [] All, Scalar, Stable;
    timestamp [Vector] All, Vector, Stable;
    ts_of_first_over_time [Matrix] All, Vector, Experimental;
    ts_of_last_over_time [Matrix] All, Vector, Experimental;
    ts_of_max_over_time [Matrix] All, Vector, Experimental;
    ts_of_min_over_time [Matrix] All, Vector, Experimental;
    vector [Scalar] All, Vector, Stable;
    year [Vector] UpTo(1), Vector, Stable;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(names().is_sorted());
        assert_eq!(function("rate").map(|it| it.name), Some("rate"));
        assert_eq!(function("rat"), None);
    }
}
