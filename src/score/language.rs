//! The language that an answer is written in.

use whatlang::{Detector, Lang};

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::evalset::strings_of;

settings! {
    /// `[scorers.NAME.language]`
    expected LanguageSpec {
        /// The languages that come into question; all that are known where none is named.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub among: Vec<String>,
    }
}

/// The answer is written in the expected language, or in one of several.
#[derive(Debug)]
struct Language {
    among: Vec<Lang>,
}

/// Fewer letters than this say nothing of a language that shares its script with others.
const FEWEST_LETTERS: usize = 20;

/// Codes of two letters for those of three.
const SHORT: &[(&str, &str)] = &[
    ("af", "afr"),
    ("ak", "aka"),
    ("am", "amh"),
    ("ar", "ara"),
    ("az", "aze"),
    ("be", "bel"),
    ("bg", "bul"),
    ("bn", "ben"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("cy", "cym"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("eo", "epo"),
    ("es", "spa"),
    ("et", "est"),
    ("fa", "pes"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("gu", "guj"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("hy", "hye"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("jv", "jav"),
    ("ka", "kat"),
    ("km", "khm"),
    ("kn", "kan"),
    ("ko", "kor"),
    ("la", "lat"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("mk", "mkd"),
    ("ml", "mal"),
    ("mr", "mar"),
    ("my", "mya"),
    ("nb", "nob"),
    ("ne", "nep"),
    ("nl", "nld"),
    ("no", "nob"),
    ("or", "ori"),
    ("pa", "pan"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("si", "sin"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sn", "sna"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("ta", "tam"),
    ("te", "tel"),
    ("th", "tha"),
    ("tk", "tuk"),
    ("tl", "tgl"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("ur", "urd"),
    ("uz", "uzb"),
    ("vi", "vie"),
    ("yi", "yid"),
    ("zh", "cmn"),
    ("zu", "zul"),
];

/// The language of a code: `de`, `deu`, `de-AT`.
fn language(code: &str) -> Option<Lang> {
    let code = code.trim().to_lowercase();
    let code = code.split(['-', '_']).next().unwrap_or_default();
    let long = SHORT.iter().find(|(short, _)| *short == code).map_or(code, |(_, long)| long);
    Lang::from_code(long)
}

impl Settings for LanguageSpec {
    fn kind(&self) -> &'static str {
        "language"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let known =
            |code: &String| language(code).ok_or_else(|| SpecError::new(format!("`{code}` is no language known here")));
        let among = self.among.iter().map(known).collect::<Result<_, _>>()?;
        self.common().measured(ValueKind::Right, Language { among })
    }
}

impl Measure for Language {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let known =
            |code: &String| language(code).ok_or_else(|| Miss::unable(format!("`{code}` is no language known here")));
        let expected: Vec<Lang> = at.expected_texts()?.iter().map(known).collect::<Result<_, _>>()?;
        if let Some(other) = expected.iter().find(|lang| !self.among.is_empty() && !self.among.contains(lang)) {
            return Err(Miss::unable(format!("`{}` is expected, but not in `among`", other.code())));
        }
        let text = strings_of(at.answer()?);
        let detector =
            if self.among.is_empty() { Detector::new() } else { Detector::with_allowlist(self.among.clone()) };
        let found = detector.detect(&text).ok_or_else(|| Miss::fault("the answer holds no text of any language"))?;
        let right = expected.contains(&found.lang());
        let letters = text.chars().filter(|c| c.is_alphabetic()).take(FEWEST_LETTERS).count();
        // A script of its own is enough; between languages of one script a few letters are not.
        let by_script = found.script().langs().len() == 1;
        if letters < FEWEST_LETTERS && !by_script {
            return Err(Miss::unable(format!("{letters} letters are too few to tell a language")));
        }
        Ok(Found::right(right).because(format!("written in {}", found.lang().code())))
    }
}
