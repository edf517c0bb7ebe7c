//! Addresses of networks, as an API server reads them: zeros before a number of IPv4 do no harm.

use std::net::{IpAddr, Ipv4Addr};

/// An address.
pub(super) fn ip(text: &str) -> Option<IpAddr> {
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

/// An address and how many of its first bits name the network.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = text.split_once('/')?;
    let address = ip(address)?;
    let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
    let prefix: u32 = digits.then(|| prefix.parse().ok()).flatten()?;
    (prefix <= width(address)).then_some((address, prefix))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether `inner` is a true part of `outer`.
pub(super) fn is_within(inner: (IpAddr, u32), outer: (IpAddr, u32)) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let differing = bits(inner.0) ^ bits(outer.0);
    inner.0.is_ipv4() == outer.0.is_ipv4() && inner.1 > outer.1 && differing.leading_zeros() >= outer.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["10.0.0.1", "010.0.0.001", "::1", "::ffff:1.2.3.4", "fd00::"] {
            assert!(ip(text).is_some(), "{text}");
        }
        for text in
            ["", "10.0.0", "10.0.0.256", "10.0.0.1.2", "a.b.c.d", "1.2.3.", "None", "::g", "10.0.0.1/8", "+1.2.3.4"]
        {
            assert!(ip(text).is_none(), "{text}");
        }
        for text in ["10.0.0.0/8", "10.1.2.3/0", "fd00::/128", "10.0.0.0/08"] {
            assert!(cidr(text).is_some(), "{text}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "fd00::/129", "10.0.0.0/+8", "/8"] {
            assert!(cidr(text).is_none(), "{text}");
        }
        let within = |inner, outer| is_within(cidr(inner).unwrap(), cidr(outer).unwrap());
        assert!(within("10.1.0.0/16", "10.0.0.0/8"));
        assert!(within("10.1.0.0/16", "0.0.0.0/0"));
        assert!(!within("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!within("11.1.0.0/16", "10.0.0.0/8"));
        assert!(!within("fd00::/16", "10.0.0.0/8"));
    }
}
