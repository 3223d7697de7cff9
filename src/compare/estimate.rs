//! What can be estimated, and from which values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::score::{Scale, ScorerSpec, ValueKind};

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// The mean of the values; a label or a ranking counts 1 where it passes.
    #[default]
    Mean,
    /// The share of passes.
    PassRate,
    /// The chance that at least one of k trials passes.
    PassAtK,
    /// The chance that all of k trials pass.
    PassHatK,
    /// The share of examples of which at least k trials pass.
    AtLeastK,
    /// The share of examples of which more than half of the trials pass.
    Majority,
    /// The mean over examples of the median of their trials.
    Median,
    /// The share of right labels.
    Accuracy,
    /// The mean squared distance between confidence and outcome.
    Brier,
    /// The share of the relevant ids among the first k.
    RecallAtK,
    /// One over the rank of the first relevant id.
    ReciprocalRank,
    /// Normalised discounted cumulative gain of the first k ids.
    NdcgAtK,
    /// The precision at each relevant id, averaged.
    AveragePrecision,
    /// The share of comparisons that were won, a tie being half.
    WinRate,
    /// Mean F1 of the labels that occur.
    MacroF1,
    /// F1 of the summed counts.
    MicroF1,
    /// Mean precision of the labels that occur.
    MacroPrecision,
    /// Mean recall of the labels that occur.
    MacroRecall,
    /// Precision of one label.
    Precision,
    /// Recall of one label.
    Recall,
    /// Expected calibration error.
    Ece,
    /// The chance that a right answer is surer than a wrong one.
    Auc,
    /// Bradley–Terry strength against the opponent.
    BradleyTerry,
}

/// Which values a metric is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any.
    Anything,
    /// Numbers, or right and wrong.
    Numbers,
    /// Labels.
    Labels,
    /// Ranked ids.
    Rankings,
    /// Preferences.
    Preferences,
    /// A confidence beside right and wrong.
    Confidences,
}

impl Needs {
    /// The values in a word; nothing where any will do.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Anything => None,
            Self::Numbers => Some("numbers"),
            Self::Labels => Some("labels"),
            Self::Rankings => Some("ranked ids"),
            Self::Preferences => Some("preferences"),
            Self::Confidences => Some("confidences"),
        }
    }

    /// The values in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Anything => "any values",
            Self::Numbers => "numbers, or right and wrong",
            Self::Labels => "labels, which a `label` scorer gives",
            Self::Rankings => "ranked ids, which a `ranked` scorer gives",
            Self::Preferences => "preferences, which a `preference` scorer or a pairwise judge gives",
            Self::Confidences => {
                "confidences: an `exact`, `numeric` or `label` scorer with `confidence = \"/place/in/the/answer\"`"
            }
        }
    }

    fn met_by(self, scorer: &ScorerSpec) -> bool {
        match self {
            Self::Anything => true,
            Self::Numbers => matches!(scorer.values(), ValueKind::Number | ValueKind::Right | ValueKind::Judged),
            Self::Labels => matches!(scorer.values(), ValueKind::Label),
            Self::Rankings => matches!(scorer.values(), ValueKind::Ranked),
            Self::Preferences => matches!(scorer.values(), ValueKind::Preference | ValueKind::Judged),
            Self::Confidences => scorer.states_confidence(),
        }
    }
}

impl Estimate {
    /// All there are, in the order in which `list metrics` prints them.
    pub const ALL: [Self; 23] = [
        Self::Mean,
        Self::PassRate,
        Self::PassAtK,
        Self::PassHatK,
        Self::AtLeastK,
        Self::Majority,
        Self::Median,
        Self::Accuracy,
        Self::Brier,
        Self::RecallAtK,
        Self::ReciprocalRank,
        Self::NdcgAtK,
        Self::AveragePrecision,
        Self::WinRate,
        Self::MacroF1,
        Self::MicroF1,
        Self::MacroPrecision,
        Self::MacroRecall,
        Self::Precision,
        Self::Recall,
        Self::Ece,
        Self::Auc,
        Self::BradleyTerry,
    ];

    /// The name as it stands in the config, and what it is in a line.
    #[must_use]
    pub const fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Mean => ("mean", "mean of the values; labels and rankings count 1 where they pass"),
            Self::PassRate => ("pass_rate", "share of passes"),
            Self::PassAtK => ("pass_at_k", "chance that at least one of k trials passes, unbiased"),
            Self::PassHatK => ("pass_hat_k", "chance that all of k trials pass, unbiased"),
            Self::AtLeastK => ("at_least_k", "share of examples of which at least k trials pass"),
            Self::Majority => ("majority", "share of examples of which more than half of the trials pass"),
            Self::Median => ("median", "mean over examples of the median of their trials"),
            Self::Accuracy => ("accuracy", "share of right labels"),
            Self::Brier => ("brier", "mean squared distance between confidence and outcome; low is good"),
            Self::RecallAtK => ("recall_at_k", "share of the relevant ids that stand among the first k"),
            Self::ReciprocalRank => ("reciprocal_rank", "one over the rank of the first relevant id (MRR)"),
            Self::NdcgAtK => ("ndcg_at_k", "discounted gain of the first k ids over that of the best order"),
            Self::AveragePrecision => ("average_precision", "precision at each relevant id, averaged (MAP)"),
            Self::WinRate => ("win_rate", "share of comparisons won, a tie being half"),
            Self::MacroF1 => ("macro_f1", "mean F1 of the labels that occur"),
            Self::MicroF1 => ("micro_f1", "F1 of the counts of all labels together"),
            Self::MacroPrecision => ("macro_precision", "mean precision of the labels that occur"),
            Self::MacroRecall => ("macro_recall", "mean recall of the labels that occur"),
            Self::Precision => ("precision", "right among the answers that give one label, `label`"),
            Self::Recall => ("recall", "right among the examples that have one label, `label`"),
            Self::Ece => ("ece", "expected calibration error, 15 bins of equal width; low is good"),
            Self::Auc => ("auc", "chance that a right answer is surer than a wrong one"),
            Self::BradleyTerry => ("bradley_terry", "log-strength against the opponent, log(wins / losses)"),
        }
    }

    /// The name as it stands in the config.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.described().0
    }

    /// Which values it is made of.
    #[must_use]
    pub const fn needs(self) -> Needs {
        match self {
            Self::Mean | Self::PassRate | Self::PassAtK | Self::PassHatK | Self::AtLeastK | Self::Majority => {
                Needs::Anything
            }
            Self::Median => Needs::Numbers,
            Self::Accuracy
            | Self::MacroF1
            | Self::MicroF1
            | Self::MacroPrecision
            | Self::MacroRecall
            | Self::Precision
            | Self::Recall => Needs::Labels,
            Self::RecallAtK | Self::ReciprocalRank | Self::NdcgAtK | Self::AveragePrecision => Needs::Rankings,
            Self::WinRate | Self::BradleyTerry => Needs::Preferences,
            Self::Brier | Self::Ece | Self::Auc => Needs::Confidences,
        }
    }

    /// Whether it is a function of all examples together rather than a mean over them.
    #[must_use]
    pub const fn is_corpus(self) -> bool {
        matches!(
            self,
            Self::MacroF1
                | Self::MicroF1
                | Self::MacroPrecision
                | Self::MacroRecall
                | Self::Precision
                | Self::Recall
                | Self::Ece
                | Self::Auc
                | Self::BradleyTerry
        )
    }

    /// Whether it is a calibration error.
    #[must_use]
    pub const fn is_calibration_error(self) -> bool {
        matches!(self, Self::Ece)
    }

    /// Whether `k` must be said.
    #[must_use]
    pub const fn takes_k(self) -> bool {
        matches!(self, Self::PassAtK | Self::PassHatK | Self::AtLeastK | Self::RecallAtK | Self::NdcgAtK)
    }

    /// Whether `label` must be said.
    #[must_use]
    pub const fn takes_label(self) -> bool {
        matches!(self, Self::Precision | Self::Recall)
    }

    /// The scale, given that of the scorer.
    ///
    /// A strength has no ends. Its scale is the one on which a margin means as many points as it means of the win rate,
    /// near even strength: width 4, since the win rate rises by a quarter a unit there.
    pub(super) const fn scale(self, scorer: Scale) -> Scale {
        match self {
            Self::Mean | Self::Median => scorer,
            Self::Brier | Self::Ece => Scale { low: 0.0, high: 1.0, higher_is_better: false },
            Self::BradleyTerry => Scale { low: -2.0, high: 2.0, higher_is_better: true },
            _ => Scale::UNIT,
        }
    }

    /// Refuses a scorer whose values it cannot be made of.
    pub(super) fn check(self, scorer: &ScorerSpec) -> Result<(), String> {
        if self.needs().met_by(scorer) { Ok(()) } else { Err(self.misfit(&format!("a `{}` scorer", scorer.kind()))) }
    }

    /// The sentence that refuses `what`.
    pub(super) fn misfit(self, what: &str) -> String {
        format!("`{}` needs {}; {what} has none", self.name(), self.needs().words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_config() {
        for estimate in Estimate::ALL {
            assert_eq!(serde_json::to_string(&estimate).unwrap(), format!("\"{}\"", estimate.name()));
        }
        let mut names: Vec<_> = Estimate::ALL.iter().map(|estimate| estimate.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Estimate::ALL.len());
    }
}
