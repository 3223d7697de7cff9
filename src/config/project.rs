//! A project: its file, its folder, and the places that follow from it.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::file::Config;
use crate::evalset::{EvalSet, EvalsetError, Folder, Version};
use crate::provider::{PriceTable, ProviderSpec};
use crate::record::Store;

/// The name of the project file.
pub const FILE: &str = "evalgauge.toml";

/// A project file with the folder that it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// The folder from which every path in it starts.
    pub root: PathBuf,
    /// The settings.
    pub config: Config,
}

impl Project {
    /// Opens the named file, or `evalgauge.toml` in this folder; without either, the defaults.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn open(named: Option<&Path>) -> Result<Self, ConfigError> {
        let file = match named {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from(FILE)).filter(|file| file.is_file()),
        };
        let config = file.as_deref().map(Config::read).transpose()?.unwrap_or_default();
        let root = file.as_deref().and_then(Path::parent).filter(|root| !root.as_os_str().is_empty());
        Ok(Self { root: root.map_or_else(|| PathBuf::from("."), Path::to_owned), file, config })
    }

    /// Where eval sets are.
    #[must_use]
    pub fn evalsets(&self) -> PathBuf {
        self.inside("evalsets")
    }

    /// Where runs and baselines are.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(self.inside("reports"))
    }

    /// Prices per million tokens: of the file that the settings name, else those that come with the program.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn prices(&self) -> Result<PriceTable, ConfigError> {
        let Some(file) = &self.config.prices else { return Ok(PriceTable::shipped()) };
        let path = self.root.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Io { path: path.clone(), source })?;
        let table: PriceTable = toml::from_str(&text).map_err(|error| ConfigError::parse(&path, &text, &error))?;
        table.check().map_err(|reason| ConfigError::Settings { path, reason })?;
        Ok(table)
    }

    /// A path inside the project, as people write it: `reports`, not `./reports`.
    fn inside(&self, name: &str) -> PathBuf {
        if self.root == Path::new(".") { PathBuf::from(name) } else { self.root.join(name) }
    }

    /// The eval set of a name, `name@tag`, or the one that the file names.
    ///
    /// # Errors
    /// When none is named, or it cannot be loaded.
    pub fn evalset(&self, named: Option<&str>) -> Result<EvalSet, EvalsetError> {
        let (folder, version) = self.evalset_version(named)?;
        folder.load(Some(&version.tag))
    }

    /// The same without loading it: its folder, and which version.
    ///
    /// # Errors
    /// When none is named, or there is no such set or version.
    pub fn evalset_version(&self, named: Option<&str>) -> Result<(Folder, Version), EvalsetError> {
        let named = named.or(self.config.evalset.as_deref()).ok_or_else(|| {
            EvalsetError::Unknown("no eval set is named; set `evalset` in the config or give --evalset NAME".to_owned())
        })?;
        let (name, tag) = named.split_once('@').map_or((named, None), |(name, tag)| (name, Some(tag)));
        let folder = Folder::open(&self.evalsets(), name)?;
        let version = folder.version(tag)?.clone();
        Ok((folder, version))
    }

    /// The candidate of a name, or the one that the file names.
    ///
    /// # Errors
    /// When there is none.
    pub fn candidate<'a>(&'a self, named: Option<&'a str>) -> Result<(&'a str, &'a ProviderSpec), ConfigError> {
        let candidates = &self.config.candidates;
        let only = || if candidates.len() == 1 { candidates.keys().next().map(String::as_str) } else { None };
        let wrong = |reason: String| match &self.file {
            Some(path) => ConfigError::Settings { path: path.clone(), reason },
            None => ConfigError::Missing,
        };
        let has = || candidates.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let name = named.or(self.config.candidate.as_deref()).or_else(only).ok_or_else(|| {
            wrong(format!("no candidate is named; set `candidate` or give --candidate NAME (there are: {})", has()))
        })?;
        candidates
            .get_key_value(name)
            .map(|(name, spec)| (name.as_str(), spec))
            .ok_or_else(|| wrong(format!("there is no candidate `{name}`; there are: {}", has())))
    }
}
