//! Versions of Kubernetes.

use std::fmt;
use std::str::FromStr;

/// A minor version of Kubernetes, such as 1.33.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The minor version `minor` of the major version `major`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The minor version.
    pub const fn minor(self) -> u16 {
        self.minor
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (major, minor) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
            // A patch version is told and does not matter.
            let minor = minor.split('.').next()?;
            Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
        };
        parts().ok_or_else(|| format!("`{text}` is no version of Kubernetes; write one as 1.33"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
