//! Addresses of IP, and networks.

use std::net::{IpAddr, Ipv4Addr};

/// An address as an API server reads it: zeros before a number of IPv4 do no harm. `ParseIPSloppy` of
/// k8s.io/utils/net.
pub fn ip(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let mut parts = text.split('.').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let value = part.trim_start_matches('0');
        digits.then(|| if value.is_empty() { Some(0) } else { value.parse::<u8>().ok() }).flatten()
    });
    let octets = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then(|| Ipv4Addr::from(octets).into())
}

/// An address that every program reads in the same way: without zeros before its numbers, which some take for octal
/// ones. Go's `net.ParseIP`.
pub fn plain_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// An address in the one form that is written. `IsValidIP` of k8s.io/apimachinery, where it asks for canonical ones.
pub fn is_canonical_ip(text: &str) -> bool {
    plain_ip(text).is_some_and(|address| address.to_string() == text)
}

/// A network: an address, and how many of its first bits are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// What is wrong with a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No slash and length of a prefix.
    NoPrefix,
    /// An address or a length that is none.
    Form,
    /// A prefix longer than the address.
    TooLong,
    /// Bits of the address behind the prefix, which say nothing.
    HostBits,
}

impl Network {
    /// A network as an API server reads it, zeros and all. `ParseCIDRSloppy` of k8s.io/utils/net.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let (address, prefix) = text.split_once('/').ok_or(Wrong::NoPrefix)?;
        Self::new(ip(address).ok_or(Wrong::Form)?, prefix)
    }

    /// A network that is written without zeros before its numbers, and whose address is its first.
    pub fn parse_plain(text: &str) -> Result<Self, Wrong> {
        let (address, prefix) = text.split_once('/').ok_or(Wrong::NoPrefix)?;
        if prefix.len() > 1 && prefix.starts_with('0') {
            return Err(Wrong::Form);
        }
        let network = Self::new(plain_ip(address).ok_or(Wrong::Form)?, prefix)?;
        if network.bits().checked_shl(network.prefix).unwrap_or(0) == 0 { Ok(network) } else { Err(Wrong::HostBits) }
    }

    fn new(address: IpAddr, prefix: &str) -> Result<Self, Wrong> {
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Wrong::Form);
        }
        let width = if address.is_ipv4() { 32 } else { 128 };
        match prefix.parse() {
            Ok(prefix) if prefix <= width => Ok(Self { address, prefix }),
            _ => Err(Wrong::TooLong),
        }
    }

    /// The address, left in 128 bits.
    fn bits(&self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => address.to_bits(),
        }
    }

    /// Whether it is a part of `outer`, and a smaller one.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.address.is_ipv4() == outer.address.is_ipv4()
            && self.prefix > outer.prefix
            && (self.bits() ^ outer.bits()).leading_zeros() >= outer.prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        for text in ["10.0.0.1", "010.0.0.001", "::1", "::ffff:1.2.3.4", "fd00::"] {
            assert!(ip(text).is_some(), "{text}");
        }
        for text in
            ["", "10.0.0", "10.0.0.256", "10.0.0.1.2", "a.b.c.d", "1.2.3.", "None", "::g", "10.0.0.1/8", "+1.2.3.4"]
        {
            assert!(ip(text).is_none() && plain_ip(text).is_none(), "{text}");
        }
        assert_eq!((ip("010.0.0.1"), plain_ip("010.0.0.1")), (plain_ip("10.0.0.1"), None));
        assert!(is_canonical_ip("::1") && is_canonical_ip("10.0.0.1"));
        assert!(!is_canonical_ip("0:0::1") && !is_canonical_ip("FD00::") && !is_canonical_ip("a"));
    }

    #[test]
    fn networks() {
        for text in ["10.0.0.0/8", "10.1.2.3/0", "fd00::/128", "10.0.0.0/08", "010.0.0.0/8"] {
            assert!(Network::parse(text).is_ok(), "{text}");
        }
        for (text, wrong) in [
            ("10.0.0.0", Wrong::NoPrefix),
            ("10.0.0.0/33", Wrong::TooLong),
            ("10.0.0.0/99999999999", Wrong::TooLong),
            ("fd00::/129", Wrong::TooLong),
            ("10.0.0.0/", Wrong::Form),
            ("10.0.0.0/+8", Wrong::Form),
            ("/8", Wrong::Form),
        ] {
            assert_eq!((Network::parse(text), Network::parse_plain(text)), (Err(wrong), Err(wrong)), "{text}");
        }
        for text in ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "192.168.1.1/32", "::1/128"] {
            assert_eq!(Network::parse_plain(text), Network::parse(text), "{text}");
        }
        for (text, wrong) in [
            ("10.0.0.1/8", Wrong::HostBits),
            ("10.0.0.1/0", Wrong::HostBits),
            ("10.0.0.0/08", Wrong::Form),
            ("010.0.0.0/8", Wrong::Form),
        ] {
            assert_eq!(Network::parse_plain(text), Err(wrong), "{text}");
        }
        let within = |inner, outer| Network::parse(inner).unwrap().is_within(&Network::parse(outer).unwrap());
        assert!(within("10.1.0.0/16", "10.0.0.0/8"));
        assert!(within("10.1.0.0/16", "0.0.0.0/0"));
        assert!(!within("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!within("11.1.0.0/16", "10.0.0.0/8"));
        assert!(!within("fd00::/16", "10.0.0.0/8"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bits: u128, small: u32) {
            for address in [IpAddr::V4(small.into()), IpAddr::V6(bits.into())] {
                let text = address.to_string();
                prop_assert_eq!((ip(&text), plain_ip(&text)), (Some(address), Some(address)));
                prop_assert!(is_canonical_ip(&text));
            }
        }

        #[test]
        fn any_text_is_read(text in r"[0-9a-f:./]{0,30}|\PC*") {
            let _ = (ip(&text), Network::parse(&text), Network::parse_plain(&text));
        }
    }
}
