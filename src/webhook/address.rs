//! Where messages may go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a connection to this address may be opened. Everybody's network may be reached; that of this house only
/// where `allow_private` says so; and what belongs to one link, to many, or to the provider of this machine, never.
#[must_use]
pub fn is_allowed(ip: IpAddr, allow_private: bool) -> bool {
    match ip {
        IpAddr::V4(ip) => four(ip, allow_private),
        IpAddr::V6(ip) => six(ip, allow_private),
    }
}

/// The machine that providers show to their guests, under a public address.
const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// The registry of special addresses, RFC 6890 and those after it.
fn four(ip: Ipv4Addr, allow_private: bool) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    if ip.is_private() || ip.is_loopback() || is_shared {
        return allow_private;
    }
    let is_special = a == 0
        || a >= 224
        || ip.is_link_local()
        || ip.is_documentation()
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b == 18 || b == 19))
        || ip == WIRE_SERVER;
    !is_special
}

/// Only `2000::/3` is given out; within it some ranges hold an address of version 4, or nobody.
fn six(ip: Ipv6Addr, allow_private: bool) -> bool {
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return four(mapped, allow_private);
    }
    match ip.segments() {
        // NAT64 (RFC 6052): what a network without version 4 makes of its addresses.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let bits = (u32::from(high) << 16) | u32::from(low);
            four(Ipv4Addr::from_bits(bits), allow_private)
        }
        // What one provider shows to its guests, among the private ones; and what is nobody's, or holds an address
        // of version 4.
        [0xfd00, 0x0ec2, ..]
        | [0x2001, ..0x200 | 0xdb8, ..]
        | [0x2002, ..]
        | [0x3fff, ..0x1000, ..] => false,
        [0xfc00..=0xfdff, ..] | [0, 0, 0, 0, 0, 0, 0, 1] => allow_private,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> [bool; 2] {
        let ip = text.parse().unwrap();
        [is_allowed(ip, false), is_allowed(ip, true)]
    }

    #[test]
    fn everybodys_network_may_be_reached() {
        for ip in [
            "93.184.215.14",
            "2606:2800:21f::1",
            "100.63.0.1",
            "172.32.0.1",
        ] {
            assert_eq!(allowed(ip), [true, true], "{ip}");
        }
        assert_eq!(allowed("64:ff9b::5db8:d70e"), [true, true]);
    }

    #[test]
    fn the_network_of_the_house_only_where_it_is_allowed() {
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "::1",
            "fc00::1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert_eq!(allowed(ip), [false, true], "{ip}");
        }
    }

    #[test]
    fn what_is_nobodys_or_the_providers_never() {
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "168.63.129.16",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert_eq!(allowed(ip), [false, false], "{ip}");
        }
    }
}
