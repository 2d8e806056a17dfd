//! `resolv.conf(5)`, as far as a result's `dns` has a place for it.

use std::io;
use std::path::Path;

use cni_core::load;
use cni_core::spec::Dns;

/// Reads the file at `path`. Bytes in it that are no text are nobody's address: a comment may be in any encoding.
pub(super) fn read(path: &Path) -> io::Result<Dns> {
    let content = load::regular(path)?;
    Ok(parse(&String::from_utf8_lossy(&content)))
}

/// Reads name servers, domain, search list and options; of several `domain` or `options` lines the
/// last domain and all options count, and what is not known is passed over.
fn parse(text: &str) -> Dns {
    let mut dns = Dns::default();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let values = words.map(str::to_owned);
        match key {
            "nameserver" => dns.nameservers.extend(values.take(1)),
            "domain" => dns.domain = values.take(1).next().unwrap_or(dns.domain),
            "search" => dns.search.extend(values),
            "options" => dns.options.extend(values),
            _ => {}
        }
    }
    dns
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_known_line_counts_and_the_rest_is_passed_over() {
        let dns = parse(
            "# a comment\n; another\nnameserver 192.0.2.1\n  nameserver 2001:db8::1 extra\n\
             domain example.org\nsearch a.example b.example\noptions ndots:5 rotate\nsortlist x\n\nnameserver\n",
        );
        assert_eq!(dns.nameservers, ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(dns.domain, "example.org");
        assert_eq!(dns.search, ["a.example", "b.example"]);
        assert_eq!(dns.options, ["ndots:5", "rotate"]);
        assert!(parse("").is_empty());
    }

    #[test]
    fn a_file_in_any_encoding_is_read_and_a_device_is_not() {
        let path = std::env::temp_dir().join(format!("resolv-{}", std::process::id()));
        fs::write(&path, b"# Stra\xdfe\nnameserver 192.0.2.54\n").unwrap();
        assert_eq!(read(&path).unwrap().nameservers, ["192.0.2.54"]);
        fs::remove_file(&path).unwrap();
        for no_file in [&path, Path::new("/dev/zero"), Path::new("/")] {
            assert!(read(no_file).is_err(), "{}", no_file.display());
        }
    }
}
