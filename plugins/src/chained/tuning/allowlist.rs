//! The file in which a node's administrator says which kernel parameters may be set.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use regex_lite::Regex;

use super::config::Parameter;
use super::error::TuningError;

/// That the list at `path` has an expression for each of `parameters`; without a list all are permitted.
///
/// The name is compared as it was written, since that is what existing lists are made for: an expression for
/// `net.core.somaxconn` may or may not match `net/core/somaxconn`.
pub(super) fn permits(path: &Path, parameters: &[Parameter]) -> Result<(), TuningError> {
    if parameters.is_empty() {
        return Ok(());
    }
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = path.to_owned();
            return Err(TuningError::Allowlist { path, source });
        }
        Ok(text) => text,
    };
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut expressions = Expressions {
        path,
        read: Vec::new(),
        left: lines.iter(),
    };
    for Parameter { key, .. } in parameters {
        if !expressions.any_matches(key)? {
            let allowed = lines.iter().map(ToString::to_string).collect();
            let key = key.clone();
            return Err(TuningError::SysctlRefused { key, allowed });
        }
    }
    Ok(())
}

/// The list's expressions, each read once, and only if those before it did not match some name.
struct Expressions<'a> {
    path: &'a Path,
    read: Vec<Regex>,
    left: std::slice::Iter<'a, &'a str>,
}

impl Expressions<'_> {
    fn any_matches(&mut self, key: &str) -> Result<bool, TuningError> {
        if self.read.iter().any(|expression| expression.is_match(key)) {
            return Ok(true);
        }
        for line in self.left.by_ref() {
            let expression = Regex::new(line).map_err(|source| TuningError::AllowlistLine {
                path: self.path.to_owned(),
                line: (*line).to_owned(),
                source,
            })?;
            let matches = expression.is_match(key);
            self.read.push(expression);
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Error;

    use super::*;

    #[track_caller]
    fn check(list: Option<&str>, key: &str, expected: Result<(), (u32, &str)>) {
        let name = format!("allowlist-{}-{:p}", std::process::id(), &expected);
        let path = std::env::temp_dir().join(name);
        if let Some(list) = list {
            fs::write(&path, list).unwrap();
        }
        let (key, value) = (key.to_owned(), String::new());
        let parameter = Parameter {
            path: key.clone(),
            key,
            value,
        };
        let found = permits(&path, &[parameter]).map_err(Error::from);
        let _ = fs::remove_file(&path);
        match (found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(found), Err((code, text))) if found.code.0 == code && found.msg.contains(text) => {}
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_parameter_needs_an_expression_that_is_found_in_its_name() {
        let list = "^net\\.ipv4\\.conf\\.[a-z]+\\.arp_filter$\n\n  somaxconn  \r\n";
        check(None, "net.core.anything", Ok(()));
        check(Some(list), "net.core.somaxconn", Ok(()));
        check(Some(list), "net/core/somaxconn", Ok(()));
        check(Some(list), "net.ipv4.conf.IFNAME.arp_filter", Err((7, "IFNAME")));
        check(Some(list), "net.ipv4.conf.eth.arp_filter", Ok(()));
        check(Some(list), "net.core.dev_weight", Err((7, "is not allowed")));
        check(Some(""), "net.core.somaxconn", Err((7, "[]")));
    }

    #[test]
    fn a_list_that_cannot_be_understood_is_an_error_of_its_own() {
        check(
            Some("*.conf"),
            "net.core.somaxconn",
            Err((157, "read line \"*.conf\" of allowlist")),
        );
        let here = std::env::temp_dir();
        let parameter = || Parameter {
            key: "net.a".to_owned(),
            path: "a".to_owned(),
            value: String::new(),
        };
        let error = permits(&here, &[parameter()]).map_err(Error::from).unwrap_err();
        assert_eq!(error.code.0, 157);
        assert_eq!(error.msg, format!("read allowlist {here:?}"));
        assert!(
            permits(&here, &[]).is_ok(),
            "without parameters nobody looks at it"
        );
    }
}
