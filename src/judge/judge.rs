//! A judge that is ready to grade.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::JudgeError;
use super::form::Form;
use super::prompt::{Foreign, PROTOCOL, Prompt, nonce, render};
use super::scale::GradeScale;
use super::spec::{Combine, JudgeKind, JudgeSpec, OVERALL, Overall};
use crate::call::{Pointer, Request, Template, engine_version};
use crate::table::{TableError, sha256_hex};

/// The settings of a judge inside its folder.
pub const SETTINGS: &str = "judge.toml";

/// The prompt template of a judge inside its folder.
pub const PROMPT: &str = "prompt.md.j2";

/// Who a judge asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Asker {
    /// A language model: the question without its messages.
    Model(Box<Request>),
    /// A program, an application, a recording: it gets one JSON document.
    Program {
        /// A name that the router knows.
        provider: String,
        /// Where in its output the reply is.
        answer: Pointer,
    },
}

/// The files of a judge, read and checked.
#[derive(Debug)]
pub struct Files {
    /// The judge's name: its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The settings.
    pub spec: JudgeSpec,
    /// The text of the settings, for whoever reads `[model]`.
    pub text: String,
    /// The prompt template; a panel has none.
    pub prompt: Option<Template>,
    /// The words of the template's own text.
    pub prompt_words: usize,
}

impl Files {
    /// Reads `<judges>/<name>/judge.toml` and `prompt.md.j2`.
    ///
    /// # Errors
    /// A judge that does not exist (naming those there are), a file that cannot be read or understood.
    pub fn read(judges: &Path, name: &str) -> Result<Self, JudgeError> {
        check_name(name)?;
        let folder = judges.join(name);
        let path = folder.join(SETTINGS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let known = names(judges);
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(JudgeError::Unknown(format!(
                    "there is no judge `{name}` in {} (there: {known}); make one with `evalgauge judge new {name}`",
                    judges.display()
                )));
            }
            Err(error) => return Err(TableError::io(path)(error).into()),
        };
        let spec = JudgeSpec::parse(&path, &text)?;
        let mut files = Self { name: name.to_owned(), folder, spec, text, prompt: None, prompt_words: 0 };
        if files.spec.kind != JudgeKind::Panel {
            let path = files.folder.join(PROMPT);
            let prompt = std::fs::read_to_string(&path).map_err(TableError::io(&path))?;
            files.prompt_words = prompt.split_whitespace().count();
            files.prompt = Some(Template::new(&path.display().to_string(), &prompt)?);
        }
        Ok(files)
    }

    /// The file of the settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder.join(SETTINGS)
    }
}

/// Refuses a name that is no plain folder's.
///
/// # Errors
/// [`JudgeError::Unknown`].
pub fn check_name(name: &str) -> Result<(), JudgeError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(JudgeError::Unknown(format!(
            "`{name}` is no name of a judge; expected letters, digits, `-`, `_`, `.`"
        )));
    }
    Ok(())
}

/// The judges of a folder, by name.
#[must_use]
pub fn names(judges: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(judges) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            entry.path().join(SETTINGS).is_file().then(|| entry.file_name().into_string().ok())?
        })
        .collect();
    names.sort();
    names
}

/// A judge: says which calls it needs, and reads their replies.
#[derive(Debug)]
pub struct Judge {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub spec: JudgeSpec,
    /// The grades it may give.
    pub scale: GradeScale,
    pub(super) seat: Seat,
    sha256: String,
    prompt_sha256: String,
}

/// Who grades: one model, or several judges.
#[derive(Debug)]
pub(super) enum Seat {
    One { template: Box<Template>, form: Form, asker: Asker },
    Panel { members: Vec<Judge>, combine: Combine },
}

impl Judge {
    /// A judge that asks one model or program.
    ///
    /// # Errors
    /// A panel, or a template that does not show what it must, each exactly once.
    pub fn one(files: Files, asker: Asker) -> Result<Self, JudgeError> {
        let path = files.settings();
        let Files { name, spec, prompt, .. } = files;
        let scale = spec.grade_scale().map_err(|reason| JudgeError::settings(&path, reason))?;
        let (Some(template), Some(scale)) = (prompt, scale) else {
            return Err(JudgeError::settings(&path, "a panel is made of its members"));
        };
        let form = Form::new(&spec, scale.clone());
        let prompt_sha256 = template.digest().to_owned();
        let sha256 = digest(&spec, &[&prompt_sha256]);
        let judge = Self {
            name,
            spec,
            scale,
            seat: Seat::One { template: Box::new(template), form, asker },
            sha256,
            prompt_sha256,
        };
        judge.check_template()?;
        Ok(judge)
    }

    /// A panel.
    ///
    /// # Errors
    /// Members that do not grade the same things on one scale, or that are panels themselves.
    pub fn panel(files: Files, members: Vec<Self>) -> Result<Self, JudgeError> {
        let path = files.settings();
        let wrong = |reason: String| JudgeError::settings(&path, reason);
        let Files { name, spec, .. } = files;
        let first = members.first().ok_or_else(|| wrong("a panel needs `members`".to_owned()))?;
        for member in &members {
            if matches!(member.seat, Seat::Panel { .. }) {
                return Err(wrong(format!("the member `{}` is a panel itself", member.name)));
            }
            let alike = member.scale == first.scale
                && member.spec.graded() == first.spec.graded()
                && (member.spec.kind == JudgeKind::Pairwise) == (first.spec.kind == JudgeKind::Pairwise);
            if !alike {
                return Err(wrong(format!(
                    "the members `{}` and `{}` do not grade the same dimensions on one scale",
                    first.name, member.name
                )));
            }
        }
        let scale = first.scale.clone();
        let digests: Vec<&str> = members.iter().map(|member| member.sha256.as_str()).collect();
        let sha256 = digest(&spec, &digests);
        let prompts: Vec<&str> = members.iter().map(|member| member.prompt_sha256.as_str()).collect();
        let prompt_sha256 = sha256_hex(prompts.join(" "));
        let combine = spec.combine.unwrap_or_default();
        Ok(Self { name, spec, scale, seat: Seat::Panel { members, combine }, sha256, prompt_sha256 })
    }

    /// SHA-256 over the settings that grades follow from, the prompt, and the engine's version.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// SHA-256 of the prompt with the engine's version; of a panel over those of its members.
    #[must_use]
    pub fn prompt_sha256(&self) -> &str {
        &self.prompt_sha256
    }

    /// The members of a panel; of any other judge itself alone.
    #[must_use]
    pub fn members(&self) -> Vec<&Self> {
        match &self.seat {
            Seat::One { .. } => vec![self],
            Seat::Panel { members, .. } => members.iter().collect(),
        }
    }

    /// Who is asked; nobody of a panel.
    #[must_use]
    pub const fn asker(&self) -> Option<&Asker> {
        match &self.seat {
            Seat::One { asker, .. } => Some(asker),
            Seat::Panel { .. } => None,
        }
    }

    /// Whether it compares two answers.
    #[must_use]
    pub fn is_pairwise(&self) -> bool {
        self.members().iter().any(|member| member.spec.kind == JudgeKind::Pairwise)
    }

    /// Whether it sees what is expected.
    #[must_use]
    pub fn sees_reference(&self) -> bool {
        self.members().iter().any(|member| member.spec.reference)
    }

    /// What it grades: the dimensions of a rubric with `overall` last, else `overall` alone.
    #[must_use]
    pub fn graded(&self) -> Vec<String> {
        self.members().first().map_or_else(Vec::new, |member| member.spec.graded())
    }

    /// The least grade that passes, unless a scorer says otherwise; a comparison passes unless it is lost.
    #[must_use]
    pub fn pass_at(&self) -> Option<super::grade::Grade> {
        let of = |judge: &Self| judge.spec.scale.as_ref().and_then(|scale| scale.pass_at.clone());
        of(self).or_else(|| self.members().first().and_then(|member| of(member))).or_else(|| self.scale.upper_half())
    }

    /// Whether a dimension is the mean of others, which may lie between grades.
    #[must_use]
    pub fn is_mean(&self, dimension: &str) -> bool {
        dimension == OVERALL
            && self.members().first().is_some_and(|member| {
                member.spec.kind == JudgeKind::Rubric && member.spec.overall.unwrap_or_default() == Overall::Mean
            })
    }

    /// Calls that one item takes at the most, without those that are made again.
    #[must_use]
    pub fn calls_per_item(&self) -> usize {
        let of = |judge: &Self| judge.spec.repeats.get() as usize * if judge.is_pairwise() { 2 } else { 1 };
        self.members().into_iter().map(of).sum()
    }

    /// What it asks about foreign texts. `None` of a panel, whose members ask.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub(super) fn prompt(&self, seed: u64, texts: &[Foreign]) -> Result<Option<Prompt>, JudgeError> {
        let Seat::One { template, form, .. } = &self.seat else { return Ok(None) };
        Ok(Some(render(template, &self.spec, form, texts, &nonce(seed, texts))?))
    }

    /// Renders the template with plain texts: each block must stand in it exactly once.
    fn check_template(&self) -> Result<(), JudgeError> {
        let plain = |block| Foreign::new(block, "x".to_owned());
        let mut blocks = vec![plain("INPUT")];
        if self.spec.reference {
            blocks.push(plain("REFERENCE"));
        }
        let answers: &[&'static str] =
            if self.spec.kind == JudgeKind::Pairwise { &["FIRST", "SECOND"] } else { &["ANSWER"] };
        blocks.extend(answers.iter().map(|block| plain(block)));
        let Some(prompt) = self.prompt(0, &blocks)? else { return Ok(()) };
        // A judge of form or tone needs no input.
        let missing: Vec<&str> = prompt.missing().into_iter().filter(|block| *block != "INPUT").collect();
        let twice = prompt.missing().contains(&"INPUT") && prompt.user.contains("<<<INPUT ");
        match missing.first().or(twice.then_some(&"INPUT")) {
            None => Ok(()),
            Some(block) => Err(JudgeError::Unknown(format!(
                "judge `{}`: {PROMPT} must show `{{{{ {} }}}}` exactly once",
                self.name,
                block.to_lowercase()
            ))),
        }
    }
}

/// SHA-256 over what grades follow from. What is only for people, the cases of `judge try` and where the pass begins are
/// no part of it.
fn digest(spec: &JudgeSpec, parts: &[&str]) -> String {
    let settings = json!({
        "protocol": PROTOCOL,
        "engine": engine_version(),
        "kind": spec.kind,
        "about": if spec.kind == JudgeKind::Rubric { "" } else { spec.about.as_str() },
        "reasoning": spec.reasoning,
        "schema": spec.schema,
        "repeats": spec.repeats,
        "overall": spec.overall.unwrap_or_default(),
        "reference": spec.reference,
        "members": spec.members,
        "combine": spec.combine.unwrap_or_default(),
        "scale": spec.scale.as_ref().map(|scale| &scale.values),
        "dimensions": spec.dimensions,
        "levels": spec.levels,
        "parts": parts,
    });
    sha256_hex(settings.to_string())
}
