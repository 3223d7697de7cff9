//! Scorers as they stand in the config: `[scorers.NAME.KIND]`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::affix::{EndsWithSpec, StartsWithSpec};
use super::combined::{AllSpec, AnySpec, Combination, MeanSpec};
use super::contains::ContainsSpec;
use super::edit_distance::EditDistanceSpec;
use super::exact::ExactSpec;
use super::finish_reason::FinishReasonSpec;
use super::items::{ListSpec, SetSpec};
use super::json_fields::JsonFieldsSpec;
use super::json_parses::JsonParsesSpec;
use super::json_schema::JsonSchemaSpec;
use super::judged::{JudgedSpec, Judges};
use super::key_points::KeyPointsSpec;
use super::label::LabelSpec;
use super::language::LanguageSpec;
use super::length::LengthSpec;
use super::must_contain::MustContainSpec;
use super::numeric::NumericSpec;
use super::one_of::OneOfSpec;
use super::pattern::RegexSpec;
use super::phrases::{AsksForMoreSpec, RefusalSpec};
use super::preference::PreferenceSpec;
use super::program_spec::{Asking, CommandScorerSpec, HttpScorerSpec};
use super::ranked::RankedSpec;
use super::scorer::Scorer;
use super::settings::{Settings, checked_weight};
use super::spent::{CostSpec, LatencySpec};
use super::sql_parses::SqlParsesSpec;
use super::squad_exact::SquadExactSpec;
use super::token_f1::TokenF1Spec;
use super::tool_calls::ToolCallsSpec;
use super::xml_parses::XmlParsesSpec;
use crate::table::sha256_hex;

/// A scorer's settings; the kind is the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScorerSpec {
    /// Equal or not.
    Exact(ExactSpec),
    /// Equal after `SQuAD`'s normalisation.
    SquadExact(SquadExactSpec),
    /// One of several right answers.
    OneOf(OneOfSpec),
    /// One label out of a set.
    Label(LabelSpec),
    /// The right number.
    Numeric(NumericSpec),
    /// Texts that must, may or must not occur.
    Contains(ContainsSpec),
    /// What the example says must and must not occur.
    MustContain(MustContainSpec),
    /// A checklist.
    KeyPoints(KeyPointsSpec),
    /// The beginning.
    StartsWith(StartsWithSpec),
    /// The end.
    EndsWith(EndsWithSpec),
    /// A regular expression.
    Regex(RegexSpec),
    /// Words in common.
    TokenF1(TokenF1Spec),
    /// Characters to change.
    EditDistance(EditDistanceSpec),
    /// Items without an order.
    Set(SetSpec),
    /// Items in their order.
    List(ListSpec),
    /// Ids in an order.
    Ranked(RankedSpec),
    /// Any JSON.
    JsonParses(JsonParsesSpec),
    /// JSON that follows a schema.
    JsonSchema(JsonSchemaSpec),
    /// Fields of JSON.
    JsonFields(JsonFieldsSpec),
    /// Well-formed XML.
    XmlParses(XmlParsesSpec),
    /// Statements of SQL.
    SqlParses(SqlParsesSpec),
    /// Characters, words or lines.
    Length(LengthSpec),
    /// The language it is written in.
    Language(LanguageSpec),
    /// Whether it refuses.
    Refusal(RefusalSpec),
    /// Whether it asks for more information.
    AsksForMore(AsksForMoreSpec),
    /// How long it took.
    Latency(LatencySpec),
    /// What it cost.
    Cost(CostSpec),
    /// Why it ended.
    FinishReason(FinishReasonSpec),
    /// The calls it makes.
    ToolCalls(ToolCallsSpec),
    /// How the answer fared against another.
    Preference(PreferenceSpec),
    /// What a judge says.
    Judge(JudgedSpec),
    /// What a program says.
    Command(CommandScorerSpec),
    /// What a service says.
    Http(HttpScorerSpec),
    /// All of several scorers.
    All(AllSpec),
    /// Any of several scorers.
    Any(AnySpec),
    /// The weighted mean of several scorers.
    Mean(MeanSpec),
}

/// What the values of a scorer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Right or wrong.
    Right,
    /// A number.
    Number,
    /// A label.
    Label,
    /// Ranked ids.
    Ranked,
    /// A preference.
    Preference,
    /// What the judge's own file says: numbers, labels or preferences.
    Judged,
}

/// Settings that make no scorer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(String);

impl SpecError {
    /// With a sentence that says what is wrong.
    #[must_use]
    pub const fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl ScorerSpec {
    /// The one place that knows all kinds.
    fn settings(&self) -> &dyn Settings {
        match self {
            Self::Exact(spec) => spec,
            Self::SquadExact(spec) => spec,
            Self::OneOf(spec) => spec,
            Self::Label(spec) => spec,
            Self::Numeric(spec) => spec,
            Self::Contains(spec) => spec,
            Self::MustContain(spec) => spec,
            Self::KeyPoints(spec) => spec,
            Self::StartsWith(spec) => spec,
            Self::EndsWith(spec) => spec,
            Self::Regex(spec) => spec,
            Self::TokenF1(spec) => spec,
            Self::EditDistance(spec) => spec,
            Self::Set(spec) => spec,
            Self::List(spec) => spec,
            Self::Ranked(spec) => spec,
            Self::JsonParses(spec) => spec,
            Self::JsonSchema(spec) => spec,
            Self::JsonFields(spec) => spec,
            Self::XmlParses(spec) => spec,
            Self::SqlParses(spec) => spec,
            Self::Length(spec) => spec,
            Self::Language(spec) => spec,
            Self::Refusal(spec) => spec,
            Self::AsksForMore(spec) => spec,
            Self::Latency(spec) => spec,
            Self::Cost(spec) => spec,
            Self::FinishReason(spec) => spec,
            Self::ToolCalls(spec) => spec,
            Self::Preference(spec) => spec,
            Self::Judge(spec) => spec,
            Self::Command(spec) => spec,
            Self::Http(spec) => spec,
            Self::All(spec) => spec,
            Self::Any(spec) => spec,
            Self::Mean(spec) => spec,
        }
    }

    /// The kind, as it stands in the config.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.settings().kind()
    }

    /// What its values are.
    #[must_use]
    pub fn values(&self) -> ValueKind {
        self.settings().values()
    }

    /// Whether it looks for a confidence.
    #[must_use]
    pub fn states_confidence(&self) -> bool {
        self.settings().states_confidence()
    }

    /// The version of the kind's code: raised whenever the same answer could get another score, so that old and new scores
    /// are not compared.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.settings().version()
    }

    /// What it counts in a `mean` that gives no weights of its own.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.settings().weight().unwrap_or(1.0)
    }

    /// JSON files that it names, relative to the project's folder; what they hold decides its scores.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        self.settings().files()
    }

    /// The judge that it names.
    #[must_use]
    pub const fn judge(&self) -> Option<&JudgedSpec> {
        match self {
            Self::Judge(spec) => Some(spec),
            _ => None,
        }
    }

    /// The program or service that it asks.
    #[must_use]
    pub const fn asking(&self) -> Option<Asking<'_>> {
        match self {
            Self::Command(spec) => Some(Asking::Command(spec)),
            Self::Http(spec) => Some(Asking::Http(spec)),
            _ => None,
        }
    }

    /// How it puts other scorers together, where it does.
    #[must_use]
    pub fn combination(&self) -> Option<&dyn Combination> {
        match self {
            Self::All(spec) => Some(spec),
            Self::Any(spec) => Some(spec),
            Self::Mean(spec) => Some(spec),
            _ => None,
        }
    }

    /// SHA-256 over kind, version and settings: what "the same scorer" means; with a judge, a program, a file or members,
    /// their digests belong to it. Its weight in a mean is the mean's business.
    #[must_use]
    pub fn digest(&self) -> String {
        let settings = match self {
            Self::Command(spec) => serde_json::to_value(Self::Command(spec.deciding())),
            Self::Http(spec) => serde_json::to_value(Self::Http(spec.deciding())),
            _ => serde_json::to_value(self),
        };
        let mut settings = settings.unwrap_or_default();
        if let Some(own) = settings.get_mut(self.kind()).and_then(serde_json::Value::as_object_mut) {
            own.shift_remove("weight");
        }
        sha256_hex(format!("{} {} {settings}", self.kind(), self.version()))
    }

    /// Makes the scorer; `around` is what scorers may name.
    ///
    /// # Errors
    /// Settings that contradict themselves, the judge, or a file.
    pub fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        checked_weight(self.settings().weight())?;
        self.settings().build(around)
    }
}
