//! Networks of IP addresses.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An IP address, or all that begin with the same bits: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be IP addresses or networks such as 10.0.0.0/8, whose last bits are 0")]
pub struct BadNetwork;

impl Network {
    /// Whether the address is in the network. An IPv4 address is the same when it is written as an
    /// IPv6 one (`::ffff:10.0.0.1`), as a socket that listens on both shows it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => begins_alike(ours, theirs, self.prefix),
            _ => false,
        }
    }

    /// Whether every address of its kind is in it.
    pub(super) fn is_everyone(&self) -> bool {
        self.prefix == 0
    }
}

fn begins_alike(ours: Ipv6Addr, theirs: Ipv6Addr, prefix: u8) -> bool {
    (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= u32::from(prefix)
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) if prefix.bytes().all(|b| b.is_ascii_digit()) => {
                (address, Some(prefix.parse().map_err(|_| BadNetwork)?))
            }
            Some(_) => return Err(BadNetwork),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let (bits, rest) = match address {
            IpAddr::V4(v4) => (32, v4.to_bits().trailing_zeros()),
            IpAddr::V6(v6) => (128, v6.to_bits().trailing_zeros()),
        };
        let prefix: u8 = prefix.unwrap_or(bits);
        if prefix > bits || u32::from(bits - prefix) > rest {
            return Err(BadNetwork);
        }
        Ok(Self { address, prefix }.canonical())
    }
}

impl Network {
    /// A network of IPv4 that is written as one of IPv6 (`::ffff:10.0.0.0/104`) is what addresses are compared as.
    fn canonical(self) -> Self {
        const MAPPED: u8 = 96;
        match (self.address.to_canonical(), self.prefix.checked_sub(MAPPED)) {
            (IpAddr::V4(v4), Some(prefix)) if self.address.is_ipv6() => Self {
                address: v4.into(),
                prefix,
            },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn an_old_network_may_be_written_as_a_new_one() {
        let inside: IpAddr = "10.1.2.3".parse().unwrap();
        let outside: IpAddr = "11.0.0.1".parse().unwrap();
        for text in ["10.0.0.0/8", "::ffff:10.0.0.0/104"] {
            assert!(network(text).contains(inside), "{text}");
            assert!(!network(text).contains(outside), "{text}");
        }
        assert!(network("::ffff:10.1.2.3").contains(inside));
        assert!(!network("::/0").contains(inside), "another kind");
    }

    #[test]
    fn a_network_is_all_that_begin_alike() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::1", "::1", true),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
        ];
        for (net, address, inside) in cases {
            assert_eq!(
                network(net).contains(address.parse().unwrap()),
                inside,
                "{address} in {net}"
            );
        }
        assert!(network("::/0").is_everyone() && !network("10.0.0.0/8").is_everyone());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::/129",
            "10.0.0.0/+8",
            "proxy",
            "fd00::1/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork), "{text}");
        }
    }
}
