//! Addresses with their prefix length, as text.

use ipnet::IpNet;

/// Reads an address with its prefix length, `10.0.0.5/24`; the bits of the host stay.
///
/// Unlike [`IpNet`]'s own parser, and like the reference's, it refuses `10.0.0.010`, which is 10.0.0.8 to some programs
/// and 10.0.0.10 to others.
pub fn parse_net(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let digits = length.bytes().all(|b| b.is_ascii_digit());
    let length = length.parse().ok().filter(|_| digits)?;
    IpNet::new(address.parse().ok()?, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_programs_may_read_differently_is_no_address() {
        for good in ["10.0.0.5/24", "0.0.0.0/0", "fd00::5/128", "::ffff:10.0.0.5/120"] {
            assert_eq!(parse_net(good).map(|net| net.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "10.0.0.010/24",
            "010.0.0.1/24",
            "10.0.0.5",
            "10.0.0.5/",
            "10.0.0.5/33",
            "10.0.0.5/+8",
            "10.0.0.5/-1",
            "10.0.0/24",
            "fd00::5/129",
            "fd00::5%eth0/64",
            " 10.0.0.5/24",
            "10.0.0.5/24/24",
            "/24",
            "",
        ] {
            assert_eq!(parse_net(bad), None, "{bad}");
        }
    }
}
