//! Reading configurations.

use std::collections::{BTreeMap, BTreeSet};

use super::{ConfError, ConfList, PluginConf};
use crate::spec::{Dns, NetName, Object, PluginType, Version};

const KEYS: &[&str] = &[
    "cniVersion",
    "cniVersions",
    "name",
    "disableCheck",
    "disableGC",
    "loadOnlyInlinedPlugins",
    "plugins",
];

/// A list that may still lack plugins, which a folder beside its file can add.
pub(crate) struct Draft {
    pub(crate) name: NetName,
    pub(crate) load_only_inlined_plugins: bool,
    pub(crate) plugins: Vec<PluginConf>,
    version: Version,
    disable_check: bool,
    disable_gc: bool,
    unknown: Object,
}

impl Draft {
    /// Reads a list, whose keys match in their own case alone, as in the reference; other spellings are unknown.
    pub(crate) fn parse(object: &Object) -> Result<Self, ConfError> {
        let list = &object.only(|key| KEYS.contains(&key));
        nothing_null(list)?;
        let load_only_inlined_plugins = flag(list, "loadOnlyInlinedPlugins")?;
        let inlined: Option<Vec<Object>> = list.parse_key("plugins")?;
        if inlined.as_ref().map_or(load_only_inlined_plugins, Vec::is_empty) {
            return Err(ConfError::NoPlugins);
        }
        let objects = inlined.unwrap_or_default().into_iter().enumerate();
        Ok(Self {
            name: name(list)?,
            load_only_inlined_plugins,
            plugins: objects
                .map(|(at, object)| PluginConf::from_object(object, at))
                .collect::<Result<_, _>>()?,
            version: version(list)?,
            disable_check: flag(list, "disableCheck")?,
            disable_gc: flag(list, "disableGC")?,
            unknown: object.only(|key| !KEYS.contains(&key)),
        })
    }

    /// Reads the configuration of one plugin, whose name and version become those of the list.
    pub(crate) fn of_plugin(plugin: Object) -> Result<Self, ConfError> {
        Ok(Self {
            name: name(&plugin)?,
            load_only_inlined_plugins: false,
            version: own_version(&plugin)?.unwrap_or(Version::V0_1_0),
            disable_check: false,
            disable_gc: false,
            unknown: Object::new(),
            plugins: vec![PluginConf::from_object(plugin, 0)?],
        })
    }

    /// The list, if there is a plugin in it.
    pub(crate) fn finish(self) -> Result<ConfList, ConfError> {
        let mut plugins = self.plugins.into_iter();
        Ok(ConfList {
            first: plugins.next().ok_or(ConfError::NoPlugins)?,
            rest: plugins.collect(),
            name: self.name,
            version: self.version,
            disable_check: self.disable_check,
            disable_gc: self.disable_gc,
            load_only_inlined_plugins: self.load_only_inlined_plugins,
            unknown: self.unknown,
        })
    }
}

impl PluginConf {
    /// Reads a plugin's object; `position` is its place in the list, from 0, for the message.
    ///
    /// # Errors
    /// When `type` is missing or is not the plain name of an executable, `capabilities` is not an object of
    /// bools, or another key that the specification knows holds what it must not.
    pub fn from_object(object: Object, position: usize) -> Result<Self, ConfError> {
        let object = object.with_spellings_in_order();
        known_keys(&object)?;
        let kind: Option<String> = object.parse_key("type")?;
        let kind = kind
            .filter(|kind| !kind.is_empty())
            .ok_or(ConfError::MissingType(position))?;
        let declared: Option<BTreeMap<String, Option<bool>>> = object.parse_key("capabilities")?;
        let declared = declared.unwrap_or_default().into_iter();
        let capabilities: BTreeSet<String> = declared
            .filter_map(|(capability, on)| (on == Some(true)).then_some(capability))
            .collect();
        Ok(Self {
            kind: PluginType::try_from(kind).map_err(|e| ConfError::Type(position, e))?,
            capabilities,
            object,
        })
    }
}

/// Refuses what no plugin could decode, as the reference does on loading.
fn known_keys(plugin: &Object) -> Result<(), ConfError> {
    plugin.parse_key::<String>("name")?;
    plugin.parse_key::<String>("cniVersion")?;
    if let Some(ipam) = plugin.parse_key::<Object>("ipam")? {
        ipam.parse_key::<String>("type")?;
    }
    plugin.parse_key::<Dns>("dns")?;
    plugin.parse_key::<Object>("prevResult")?;
    plugin.parse_key::<Vec<Object>>("cni.dev/valid-attachments")?;
    Ok(())
}

/// In a list, though nowhere else, the reference takes `null` for a value of the wrong type.
fn nothing_null(list: &Object) -> Result<(), ConfError> {
    let is_null = |key: &&str| list.get(key).is_some_and(|value| value.get() == "null");
    KEYS.iter()
        .copied()
        .find(is_null)
        .map_or(Ok(()), |key| Err(ConfError::Null(key)))
}

fn name(object: &Object) -> Result<NetName, ConfError> {
    let name: Option<String> = object.parse_key("name")?;
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or(ConfError::MissingName)?;
    NetName::try_from(name).map_err(ConfError::Name)
}

/// The version to use: the highest of those offered that this crate speaks.
///
/// With none that it speaks the version is what `cniVersion` says, or else the highest offered, so
/// that who uses it can refuse it by name.
fn version(list: &Object) -> Result<Version, ConfError> {
    let own = own_version(list)?;
    let texts: Option<Vec<String>> = list.parse_key("cniVersions")?;
    let Some(texts) = texts else {
        return Ok(own.unwrap_or(Version::V0_1_0));
    };
    let mut offered: Vec<Version> = own.into_iter().collect();
    let mut short = None;
    for text in texts {
        match text.parse() {
            Ok(version) => offered.push(version),
            // Nobody speaks it, so it does no harm beside one that is spoken.
            Err(error) if is_short(&text) => short = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let spoken = offered.iter().filter(|v| Version::ALL.contains(v)).max();
    if let (None, Some(short)) = (spoken, short) {
        return Err(short.into());
    }
    let else_named = own.or(offered.iter().copied().max());
    Ok(spoken.copied().or(else_named).unwrap_or(Version::V0_1_0))
}

/// Whether the text is one number or two, such as `1.0`.
fn is_short(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split('.').count() < 3 && text.split('.').all(number)
}

/// What `cniVersion` says; empty text says nothing.
fn own_version(object: &Object) -> Result<Option<Version>, ConfError> {
    let text: Option<String> = object.parse_key("cniVersion")?;
    let text = text.filter(|text| !text.is_empty());
    Ok(text.map(|text| text.parse()).transpose()?)
}

/// A JSON bool, or `"true"` or `"false"` in any case, as the reference takes them; false when absent.
fn flag(list: &Object, key: &'static str) -> Result<bool, ConfError> {
    let Some(raw) = list.get(key) else {
        return Ok(false);
    };
    let text = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConfError::Bool {
            key,
            value: raw.get().chars().take(80).collect(),
        }),
    }
}
