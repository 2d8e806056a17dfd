//! Delegation to the IPAM plugin that a configuration names (specification, section 4).

use cni_core::plugin::{Add, Check, Del, Gc, Rollback, Status};
use cni_core::spec::{Dns, Error, PluginType, Success, Version};
use serde::{Deserialize, Deserializer};

use super::SharedError;

/// The key `ipam`, as far as a plugin that delegates reads it. Without a `type`, or with an empty one,
/// the attachment is layer 2 only and has no addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Ipam {
    /// The plugin that gives addresses.
    #[serde(rename = "type", deserialize_with = "plugin_type")]
    pub plugin: Option<PluginType>,
}

/// The key `dns` of a plugin's configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DnsConf {
    /// Addresses of name servers.
    pub nameservers: Option<Vec<String>>,
    /// The local domain.
    pub domain: String,
    /// Domains to search.
    pub search: Option<Vec<String>>,
    /// Options for the resolver.
    pub options: Option<Vec<String>>,
}

impl DnsConf {
    /// What the result says: the configuration's, if it says anything, even an empty list; else `ipam`'s.
    pub fn or(&self, ipam: Dns) -> Dns {
        let lists = [&self.nameservers, &self.search, &self.options];
        if self.domain.is_empty() && lists.iter().all(|list| list.is_none()) {
            return ipam;
        }
        let mut dns = Dns::default();
        dns.domain.clone_from(&self.domain);
        dns.nameservers = self.nameservers.clone().unwrap_or_default();
        dns.search = self.search.clone().unwrap_or_default();
        dns.options = self.options.clone().unwrap_or_default();
        dns
    }
}

impl Ipam {
    /// Refuses, before anything is made, an attachment without addresses in a version that cannot tell of it.
    ///
    /// # Errors
    /// [`SharedError::NeedsAddress`].
    pub fn fits(&self, version: Version) -> Result<(), SharedError> {
        if self.plugin.is_none() && version < Version::V0_3_0 {
            return Err(SharedError::NeedsAddress);
        }
        Ok(())
    }

    /// ADD of the IPAM plugin; `None` without one. What it reserved is released if the ADD fails later.
    ///
    /// The addresses belong to no interface yet.
    ///
    /// # Errors
    /// The plugin's own error unchanged, or [`SharedError::NoAddress`].
    pub fn add<'r, C>(
        &self,
        request: &'r Add<'_, C>,
        rollback: &mut Rollback<'r>,
    ) -> Result<Option<Success>, Error> {
        let Some(plugin) = self.plugin.clone() else {
            return Ok(None);
        };
        let mut success = request.delegate_add(&plugin)?;
        rollback.on_failure("IPAM", move || request.delegate_del(&plugin));
        if success.ips.is_empty() {
            return Err(SharedError::NoAddress.into());
        }
        success.interfaces.clear();
        for ip in &mut success.ips {
            ip.interface = None;
        }
        Ok(Some(success))
    }

    /// CHECK of the IPAM plugin, if there is one.
    ///
    /// # Errors
    /// The plugin's own error unchanged.
    pub fn check<C>(&self, request: &Check<'_, C>) -> Result<(), Error> {
        self.plugin
            .as_ref()
            .map_or(Ok(()), |plugin| request.delegate_check(plugin))
    }

    /// DEL of the IPAM plugin, if there is one.
    ///
    /// # Errors
    /// The plugin's own error unchanged.
    pub fn del<C>(&self, request: &Del<'_, C>) -> Result<(), Error> {
        self.plugin
            .as_ref()
            .map_or(Ok(()), |plugin| request.delegate_del(plugin))
    }

    /// STATUS of the IPAM plugin, if there is one.
    ///
    /// # Errors
    /// The plugin's own error unchanged.
    pub fn status<C>(&self, request: &Status<'_, C>) -> Result<(), Error> {
        self.plugin
            .as_ref()
            .map_or(Ok(()), |plugin| request.delegate_status(plugin))
    }

    /// GC of the IPAM plugin, if there is one; the configuration still holds the valid attachments.
    ///
    /// # Errors
    /// The plugin's own error unchanged.
    pub fn gc<C>(&self, request: &Gc<'_, C>) -> Result<(), Error> {
        self.plugin
            .as_ref()
            .map_or(Ok(()), |plugin| request.delegate_gc(plugin))
    }
}

fn plugin_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PluginType>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = (!text.is_empty()).then(|| PluginType::try_from(text));
    parsed.transpose().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Object;

    use super::*;

    #[track_caller]
    fn plugin(ipam: &str, expected: Option<&str>) {
        let object = Object::from_slice(ipam.as_bytes()).unwrap();
        let parsed: Ipam = object.parse().unwrap();
        assert_eq!(parsed.plugin.as_ref().map(PluginType::as_str), expected, "{ipam}");
    }

    #[test]
    fn no_type_an_empty_type_and_null_are_layer_2() {
        plugin("{}", None);
        plugin(r#"{"type":""}"#, None);
        plugin(r#"{"type":null}"#, None);
        plugin(r#"{"TYPE":"host-local"}"#, Some("host-local"));
    }

    #[test]
    fn any_field_of_the_configuration_replaces_the_name_servers_of_ipam() {
        let mut ipam = Dns::default();
        ipam.nameservers = vec!["10.0.0.1".to_owned()];
        let conf = |json: &str| {
            Object::from_slice(json.as_bytes())
                .unwrap()
                .parse::<DnsConf>()
                .unwrap()
        };
        assert_eq!(conf("{}").or(ipam.clone()), ipam);
        assert!(conf(r#"{"nameservers":[]}"#).or(ipam.clone()).is_empty());
        assert_eq!(conf(r#"{"domain":"a"}"#).or(ipam).domain, "a");
    }
}
