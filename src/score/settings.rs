//! What all scorers have in common in the config, written once.

use std::path::Path;

use serde_json::Value as Json;

use super::judged::Judges;
use super::measure::{Measure, Measured};
use super::places::Places;
use super::scorer::Scorer;
use super::spec::{SpecError, ValueKind};

/// What the rest of the program asks of a scorer's settings.
pub(super) trait Settings {
    /// The kind, as it stands in the config.
    fn kind(&self) -> &'static str;

    /// What its values are.
    fn values(&self) -> ValueKind {
        ValueKind::Right
    }

    /// The version of the kind's code.
    fn version(&self) -> u32 {
        1
    }

    /// Whether it looks for a confidence.
    fn states_confidence(&self) -> bool {
        false
    }

    /// What it counts in a `mean` that gives no weights of its own.
    fn weight(&self) -> Option<f64> {
        None
    }

    /// JSON files that it names, relative to the project's folder.
    fn files(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// Makes the scorer.
    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError>;
}

/// The settings that a measured scorer shares with the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Common {
    pub(super) places: Places,
    /// Turns the score around.
    pub(super) not: bool,
    /// The least share that passes.
    pub(super) pass_at: Option<f64>,
}

impl Common {
    /// The scorer around something that measures.
    pub(super) fn measured(
        self,
        values: ValueKind,
        measure: impl Measure + 'static,
    ) -> Result<Box<dyn Scorer>, SpecError> {
        let Self { places, not, pass_at } = self;
        if places.literal.is_some() && !places.expected.is_whole() {
            return Err(SpecError::new("`expected` and `value` are two answers to one question; give one".to_owned()));
        }
        if pass_at.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            return Err(SpecError::new("`pass_at` is a share from 0 to 1".to_owned()));
        }
        Ok(Box::new(Measured { places, not, pass_at, is_share: values == ValueKind::Number, measure }))
    }
}

/// Checks a weight.
pub(super) fn checked_weight(weight: Option<f64>) -> Result<(), SpecError> {
    match weight {
        Some(weight) if !(weight > 0.0 && weight.is_finite()) => {
            Err(SpecError::new("`weight` must be above 0".to_owned()))
        }
        _ => Ok(()),
    }
}

/// JSON that is written into the config, or in a file beside it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected the name of a JSON file, or the JSON itself")]
pub enum JsonSource {
    /// A file, relative to the project's folder.
    File(std::path::PathBuf),
    /// The JSON itself.
    Inline(Json),
}

impl JsonSource {
    /// The file, where it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Inline(_) => None,
        }
    }

    /// The JSON; files were read before.
    pub(super) fn json<'a>(&'a self, around: &'a Judges) -> Result<&'a Json, SpecError> {
        match self {
            Self::Inline(json) => Ok(json),
            Self::File(path) => {
                around.files.get(path).ok_or_else(|| SpecError::new(format!("{} is not loaded", path.display())))
            }
        }
    }
}

/// Declares the settings of a kind: a struct with its own keys between those that all kinds have.
///
/// - `expected`: compares with something, so it has `expected` and `value`;
/// - `answer`: looks at the answer alone;
/// - `call`: looks at how the answer came about, so there is no place in it;
/// - `share` after it: the value is a share, so there is `pass_at`.
macro_rules! settings {
    // The keys of each form. Own keys stand before those that may be absent, so that old digests stay.
    ($(#[$about:meta])* expected $name:ident { $($own:tt)* }) => {
        settings!(@declare [$(#[$about])*] $name [answer expected] [value] { $($own)* });
        settings!(@common $name { answer, expected, literal: value });
    };
    ($(#[$about:meta])* expected share $name:ident { $($own:tt)* }) => {
        settings!(@declare [$(#[$about])*] $name [answer expected] [value pass_at] { $($own)* });
        settings!(@common $name { answer, expected, literal: value } pass_at);
    };
    ($(#[$about:meta])* answer $name:ident { $($own:tt)* }) => {
        settings!(@declare [$(#[$about])*] $name [answer] [] { $($own)* });
        settings!(@common $name { answer });
    };
    ($(#[$about:meta])* answer share $name:ident { $($own:tt)* }) => {
        settings!(@declare [$(#[$about])*] $name [answer] [pass_at] { $($own)* });
        settings!(@common $name { answer } pass_at);
    };
    ($(#[$about:meta])* call $name:ident { $($own:tt)* }) => {
        settings!(@declare [$(#[$about])*] $name [] [] { $($own)* });
        settings!(@common $name {});
    };
    (@common $name:ident { $($place:ident $(: $key:ident)?),* } $($pass_at:ident)?) => {
        impl $name {
            /// What this kind shares with the others.
            fn common(&self) -> $crate::score::settings::Common {
                let mut places =
                    $crate::score::places::Places { when: self.when.clone(), ..Default::default() };
                $(settings!(@place self places $place $($key)?);)*
                // Without a place there is nothing to set, and the binding need not change.
                let _ = &mut places;
                let pass_at = None;
                $(let pass_at = pass_at.or(self.$pass_at);)?
                $crate::score::settings::Common { places, not: self.not, pass_at }
            }
        }
    };
    (@place $self:ident $places:ident $place:ident) => { $places.$place.clone_from(&$self.$place); };
    (@place $self:ident $places:ident $place:ident $key:ident) => { $places.$place.clone_from(&$self.$key); };
    (@declare [$($about:tt)*] $name:ident [$($head:ident)*] [$($tail:ident)*] { $($own:tt)* }) => {
        settings!(@fields [$($about)*] $name { } [$($head)* when] { $($own)* } [$($tail)* not weight]);
    };
    (@fields $about:tt $name:ident { $($done:tt)* } [answer $($rest:ident)*] $own:tt $tail:tt) => {
        settings!(@fields $about $name { $($done)*
            /// Place in the answer; the whole answer where it is not said.
            pub answer: $crate::call::Pointer,
        } [$($rest)*] $own $tail);
    };
    (@fields $about:tt $name:ident { $($done:tt)* } [expected $($rest:ident)*] $own:tt $tail:tt) => {
        settings!(@fields $about $name { $($done)*
            /// Place in `expected`; the whole of it where it is not said.
            pub expected: $crate::call::Pointer,
        } [$($rest)*] $own $tail);
    };
    (@fields $about:tt $name:ident { $($done:tt)* } [when] { $($own:tt)* } $tail:tt) => {
        settings!(@fields $about $name { $($done)*
            /// Examples it applies to.
            pub when: std::collections::BTreeMap<String, $crate::evalset::LabelValue>,
            $($own)*
        } [] {} $tail);
    };
    (@fields $about:tt $name:ident { $($done:tt)* } [] {} [value $($rest:ident)*]) => {
        settings!(@fields $about $name { $($done)*
            /// What to compare with, in the place of what the example expects.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub value: Option<serde_json::Value>,
        } [] {} [$($rest)*]);
    };
    (@fields $about:tt $name:ident { $($done:tt)* } [] {} [pass_at $($rest:ident)*]) => {
        settings!(@fields $about $name { $($done)*
            /// The least share that passes.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub pass_at: Option<f64>,
        } [] {} [$($rest)*]);
    };
    (@fields [$($about:tt)*] $name:ident { $($done:tt)* } [] {} [not weight]) => {
        $($about)*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($done)*
            /// Turns the score around; what the candidate failed to give stays a failure.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            pub not: bool,
            /// What it counts in a `mean`; 1 where it is not said.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub weight: Option<f64>,
        }
    };
}
pub(super) use settings;
