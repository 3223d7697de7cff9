//! Item → calls → judgement: orders, repeats, members, and one more question where a reply cannot be read.

use serde_json::{Map, Value, json};

use super::attack::{Finding, Model, attempts};
use super::form::Form;
use super::grade::Grade;
use super::items::{Item, shown};
use super::judge::{Asker, Judge, Seat};
use super::judgement::{Judged, Judgement, Orders, combined, median};
use super::prompt::{Foreign, Prompt};
use super::reply::{Reading, read};
use super::spec::{JudgeKind, OVERALL, Overall};
use crate::call::{Call, Finish, Key, Message, Program, Replies, Reply, Role, Step};

/// In which order two answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// There is only one answer.
    Single,
    /// The answer first.
    Forth,
    /// The other one first.
    Back,
}

impl Order {
    const fn key(self) -> &'static str {
        match self {
            Self::Single => "grade",
            Self::Forth => "ab",
            Self::Back => "ba",
        }
    }
}

/// One question of a judge.
struct Question<'q> {
    judge: &'q Judge,
    form: &'q Form,
    asker: &'q Asker,
    item: &'q Item,
    seed: u64,
    order: Order,
    repeat: u32,
}

impl Judge {
    /// The next step for an item: the calls it still lacks, or what came of them. Pure.
    ///
    /// `seed` goes into the code of the markers.
    #[must_use]
    pub fn step(&self, item: &Item, seed: u64, replies: &Replies<'_>) -> Step<Judged> {
        if self.is_pairwise() {
            let Some(other) = &item.other else {
                return Step::Done(Err("there is no other answer to compare with".to_owned()));
            };
            if shown(other) == item.answer_text() {
                let equal = Judgement {
                    grades: vec![(OVERALL.to_owned(), Grade::Label("tie".to_owned()))],
                    rationale: Some("the answers are equal; nobody was asked".to_owned()),
                    attempts: self.attempts(item),
                    ..Judgement::default()
                };
                return Step::Done(Ok(equal));
            }
        }
        if self.sees_reference() && item.reference.is_none() {
            return Step::Done(
                Err("there is nothing in `expected` to compare with, which this judge needs".to_owned()),
            );
        }
        let mut asked = Vec::new();
        let judged = match &self.seat {
            Seat::One { form, asker, .. } => self.one_judge(form, asker, item, seed, replies, "", &mut asked),
            Seat::Panel { members, combine } => {
                let opinions: Vec<(&Self, Option<Judged>)> = members
                    .iter()
                    .filter_map(|member| {
                        let Seat::One { form, asker, .. } = &member.seat else { return None };
                        let prefix = format!("member/{}/", member.name);
                        Some((member, member.one_judge(form, asker, item, seed, replies, &prefix, &mut asked)))
                    })
                    .collect();
                asked.is_empty().then(|| self.of_panel(*combine, opinions))
            }
        };
        match judged {
            Some(judged) if asked.is_empty() => {
                Step::Done(judged.map(|judgement| Judgement { attempts: self.attempts(item), ..judgement }))
            }
            _ => Step::Ask(asked),
        }
    }

    /// Attempts of an item's answers to steer the judge.
    #[must_use]
    pub fn attempts(&self, item: &Item) -> Vec<Finding> {
        let keys = self.grade_keys();
        let mut found = attempts(Model::shipped(), &item.answer_text(), &keys);
        if let Some(other) = item.other.as_ref().filter(|_| self.is_pairwise()) {
            found.extend(attempts(Model::shipped(), &shown(other), &keys));
        }
        found
    }

    /// What a reply calls its grades: an answer that wants to forge one may know it.
    fn grade_keys(&self) -> Vec<String> {
        let forms = self.members().into_iter().filter_map(|member| match &member.seat {
            Seat::One { form, .. } => Some(form),
            Seat::Panel { .. } => None,
        });
        forms.flat_map(|form| form.keys.iter().map(|(key, _)| key.clone())).collect()
    }

    /// All repeats and orders of one judge; `None` while replies are missing.
    #[expect(clippy::too_many_arguments, reason = "the parts of a seat, and where the calls go")]
    fn one_judge(
        &self,
        form: &Form,
        asker: &Asker,
        item: &Item,
        seed: u64,
        replies: &Replies<'_>,
        prefix: &str,
        asked: &mut Vec<(Key, Call)>,
    ) -> Option<Judged> {
        let orders: &[Order] = if self.is_pairwise() { &[Order::Forth, Order::Back] } else { &[Order::Single] };
        let mut readings: Vec<Result<Vec<Reading>, String>> = Vec::new();
        let mut waiting = false;
        for repeat in 0..self.spec.repeats.get() {
            let mut of_repeat = Ok(Vec::new());
            for &order in orders {
                let question = Question { judge: self, form, asker, item, seed, order, repeat };
                match question.step(replies, prefix) {
                    Step::Ask(calls) => {
                        waiting = true;
                        asked.extend(calls);
                    }
                    Step::Done(Ok(reading)) => {
                        if let Ok(read) = &mut of_repeat {
                            read.push(reading);
                        }
                    }
                    Step::Done(Err(why)) => of_repeat = Err(why),
                }
            }
            readings.push(of_repeat);
        }
        (!waiting).then(|| self.of_repeats(readings))
    }

    /// The judgement of several repeats: the median of each dimension, over more than half of them.
    fn of_repeats(&self, readings: Vec<Result<Vec<Reading>, String>>) -> Judged {
        let planned = readings.len();
        let mut missing = Vec::new();
        let mut orders = Orders::default();
        let mut ballots: Vec<Reading> = Vec::new();
        for reading in readings {
            match reading {
                Err(why) => missing.push(why),
                Ok(mut read) if read.len() == 2 => {
                    let (back, forth) = (read.pop(), read.pop());
                    let Some((forth, back)) = forth.zip(back) else { continue };
                    let agree = forth.grades == back.grades;
                    orders.add_pair(&forth.grades, &back.grades);
                    let tie = || vec![(OVERALL.to_owned(), Grade::Label("tie".to_owned()))];
                    let grades = if agree { forth.grades } else { tie() };
                    let both = [("A first", forth.rationale), ("B first", back.rationale)];
                    let said = both.into_iter().filter_map(|(order, said)| Some(format!("({order}) {}", said?)));
                    let rationale = said.collect::<Vec<_>>().join(" ");
                    ballots.push(Reading { grades, rationale: (!rationale.is_empty()).then_some(rationale) });
                }
                Ok(read) => ballots.extend(read),
            }
        }
        if ballots.len() * 2 <= planned {
            return Err(missing.into_iter().next().unwrap_or_else(|| "nothing was said".to_owned()));
        }
        let mut grades = Vec::new();
        for (dimension, _) in ballots.first().map_or(&[][..], |ballot| &ballot.grades) {
            let given = given(ballots.iter().map(|ballot| &ballot.grades), dimension);
            let grade = median(&given, &self.scale).ok_or_else(|| format!("no grade for `{dimension}`"))?;
            grades.push((dimension.clone(), grade));
        }
        self.add_overall(&mut grades)?;
        let rationale = ballots.into_iter().find_map(|ballot| ballot.rationale);
        Ok(Judgement { grades, rationale, orders, missing, ..Judgement::default() })
    }

    /// The overall grade of a rubric that is not asked for it.
    fn add_overall(&self, grades: &mut Vec<(String, Grade)>) -> Result<(), String> {
        if self.spec.kind != JudgeKind::Rubric {
            return Ok(());
        }
        let overall = match self.spec.overall.unwrap_or_default() {
            Overall::Asked => return Ok(()),
            Overall::Min => {
                let lowest = grades.iter().filter_map(|(_, grade)| self.scale.place(grade)).min();
                lowest.and_then(|place| self.scale.at(place))
            }
            Overall::Mean => {
                let numbers: Vec<f64> = grades.iter().filter_map(|(_, grade)| grade.number()).collect();
                (!numbers.is_empty()).then(|| Grade::Number(numbers.iter().sum::<f64>() / numbers.len() as f64))
            }
        };
        grades.push((OVERALL.to_owned(), overall.ok_or("the rubric has no dimension")?));
        Ok(())
    }

    /// The judgement of a panel, over more than half of its members.
    fn of_panel(&self, how: super::spec::Combine, opinions: Vec<(&Self, Option<Judged>)>) -> Judged {
        let planned = opinions.len();
        let mut missing = Vec::new();
        let mut said: Vec<(&Self, Judgement)> = Vec::new();
        for (member, judged) in opinions {
            match judged {
                Some(Ok(judgement)) => said.push((member, judgement)),
                Some(Err(why)) => missing.push(format!("{}: {why}", member.name)),
                None => {}
            }
        }
        if said.len() * 2 <= planned {
            return Err(format!("of {planned} members {} gave a grade; {}", said.len(), missing.join("; ")));
        }
        let first = &said[0].0;
        let mut combined_grades = Vec::new();
        let mut split = Vec::new();
        for dimension in self.graded() {
            let given = given(said.iter().map(|(_, judgement)| &judgement.grades), &dimension);
            if given.windows(2).any(|pair| pair[0] != pair[1]) {
                let each = said.iter().filter_map(|(member, judgement)| {
                    Some(format!("{} {}", member.name, judgement.grade(&dimension)?))
                });
                split.push(format!("{dimension}: {}", each.collect::<Vec<_>>().join(", ")));
            }
            // The overall grade follows from the dimensions, as it does for each member.
            if dimension == OVERALL && first.spec.kind == JudgeKind::Rubric && first.computes_overall() {
                continue;
            }
            let grade = combined(how, &given, &self.scale).ok_or_else(|| format!("no grade for `{dimension}`"))?;
            combined_grades.push((dimension, grade));
        }
        if first.computes_overall() {
            first.add_overall(&mut combined_grades)?;
        }
        let mut orders = Orders::default();
        let mut rationales = Vec::new();
        for (member, judgement) in &said {
            orders.add(judgement.orders);
            missing.extend(judgement.missing.iter().map(|why| format!("{}: {why}", member.name)));
            rationales.extend(judgement.rationale.as_ref().map(|rationale| format!("{}: {rationale}", member.name)));
        }
        let rationale = (!rationales.is_empty()).then(|| rationales.join("\n"));
        Ok(Judgement { grades: combined_grades, rationale, orders, split, missing, attempts: Vec::new() })
    }

    fn computes_overall(&self) -> bool {
        self.spec.kind == JudgeKind::Rubric && self.spec.overall.unwrap_or_default() != Overall::Asked
    }

    /// The prompts that an item would be judged by, one an order; of a panel those of all members.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn prompts(&self, item: &Item, seed: u64) -> Result<Vec<Prompt>, super::error::JudgeError> {
        let mut prompts = Vec::new();
        for member in self.members() {
            let orders: &[Order] = if member.is_pairwise() { &[Order::Forth, Order::Back] } else { &[Order::Single] };
            for &order in orders {
                prompts.extend(member.prompt(seed, &member.texts(item, order))?);
            }
        }
        Ok(prompts)
    }

    /// The foreign texts of an item, in the order in which they are shown.
    fn texts(&self, item: &Item, order: Order) -> Vec<Foreign> {
        let mut texts = vec![Foreign::new("INPUT", shown(&item.input))];
        if self.spec.reference {
            texts.push(Foreign::new("REFERENCE", item.reference.as_ref().map(shown).unwrap_or_default()));
        }
        let other = || item.other.as_ref().map(shown).unwrap_or_default();
        match order {
            Order::Single => texts.push(Foreign::new("ANSWER", item.answer_text())),
            Order::Forth => {
                texts.extend([Foreign::new("FIRST", item.answer_text()), Foreign::new("SECOND", other())]);
            }
            Order::Back => {
                texts.extend([Foreign::new("FIRST", other()), Foreign::new("SECOND", item.answer_text())]);
            }
        }
        texts
    }
}

/// The grades that several give a dimension.
fn given<'g>(ballots: impl Iterator<Item = &'g Vec<(String, Grade)>>, dimension: &str) -> Vec<Grade> {
    let of = |ballot: &'g Vec<(String, Grade)>| ballot.iter().find(|(name, _)| name == dimension);
    ballots.filter_map(of).map(|(_, grade)| grade.clone()).collect()
}

impl Question<'_> {
    /// Asks, asks once more where the reply cannot be read, and gives up then.
    fn step(&self, replies: &Replies<'_>, prefix: &str) -> Step<Result<Reading, String>> {
        let key = format!("{prefix}{}/{}", self.order.key(), self.repeat);
        let texts = self.judge.texts(self.item, self.order);
        let prompt = match self.judge.prompt(self.seed, &texts) {
            Ok(Some(prompt)) => prompt,
            Ok(None) => return Step::Done(Err("a panel has no prompt of its own".to_owned())),
            Err(error) => return Step::Done(Err(format!("the prompt cannot be made: {error}"))),
        };
        let Some(first) = replies.get(&key) else {
            return Step::Ask(vec![(key, self.call(&prompt, &texts, None))]);
        };
        let text = match self.said(first) {
            Ok(text) => text,
            Err(why) => return Step::Done(Err(why)),
        };
        let why = match self.read(first, &text) {
            Ok(reading) => return Step::Done(Ok(reading)),
            Err(why) => why,
        };
        let again = format!("{key}/again");
        let Some(second) = replies.get(&again) else {
            return Step::Ask(vec![(again, self.call(&prompt, &texts, Some((&text, &why))))]);
        };
        let reading = self.said(second).and_then(|text| self.read(second, &text));
        Step::Done(reading.map_err(|second| format!("the judge's reply cannot be read, twice: {why}; then: {second}")))
    }

    /// The text of a reply.
    fn said(&self, reply: &Reply) -> Result<String, String> {
        match reply {
            Reply::Failed(failure) => Err(format!("the judge's call failed: {failure}")),
            Reply::Completion(completion) => Ok(completion.text.clone()),
            Reply::Vector(_) => Err("the judge gave numbers instead of a reply".to_owned()),
            Reply::Output(output) => {
                let Asker::Program { answer, .. } = self.asker else {
                    return Err("a model gave the reply of a program".to_owned());
                };
                let value = answer.find(output).ok_or_else(|| format!("the judge's output has nothing at {answer}"))?;
                Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
        }
    }

    fn read(&self, reply: &Reply, text: &str) -> Result<Reading, String> {
        let mut reading = read(text, self.form).map_err(|why| match reply {
            Reply::Completion(completion) if completion.finish == Finish::Refusal => {
                format!("the judge refused ({why})")
            }
            Reply::Completion(completion) if completion.finish == Finish::Length => {
                format!("the reply was cut off at `max_tokens` ({why})")
            }
            _ => why,
        })?;
        if self.order == Order::Back {
            // A and B are the first and the second that were shown.
            for (_, grade) in &mut reading.grades {
                let turned = match grade {
                    Grade::Label(label) if label == "A" => "B",
                    Grade::Label(label) if label == "B" => "A",
                    _ => continue,
                };
                *grade = Grade::Label(turned.to_owned());
            }
        }
        Ok(reading)
    }

    fn call(&self, prompt: &Prompt, texts: &[Foreign], unread: Option<(&str, &str)>) -> Call {
        match self.asker {
            Asker::Model(request) => {
                let mut request = request.clone();
                request.messages = vec![
                    Message::text(Role::System, prompt.system.clone()),
                    Message::text(Role::User, prompt.user.clone()),
                ];
                if let Some((said, why)) = unread {
                    // Some vendors refuse an empty turn.
                    let said = if said.trim().is_empty() { "(nothing)" } else { said };
                    let again = format!("Your reply could not be read: {why}. {}", self.form.text());
                    request.messages.extend([Message::text(Role::Assistant, said), Message::text(Role::User, again)]);
                }
                request.schema = self.judge.spec.schema.then(|| self.form.schema());
                request.repeat = self.repeat;
                Call::Chat(request)
            }
            Asker::Program { provider, .. } => {
                let mut document = Map::new();
                // The example, as in a run: the same question has one place in the cache.
                let id = self.item.example.as_ref().unwrap_or(&self.item.id);
                document.insert("id".to_owned(), json!(id));
                document.insert("trial".to_owned(), json!(self.repeat));
                document.insert("judge".to_owned(), json!(self.judge.name));
                document.insert("order".to_owned(), json!(self.order.key()));
                for Foreign { block, text } in texts {
                    document.insert(block.to_lowercase(), json!(text));
                }
                let keys: Vec<&String> = self.form.keys.iter().map(|(key, _)| key).collect();
                document.insert("grades".to_owned(), json!(keys));
                let scale: Vec<Value> =
                    self.form.scale.grades().map(|grade| super::form::plain(json!(grade))).collect();
                document.insert("scale".to_owned(), Value::Array(scale));
                document.insert("system".to_owned(), json!(prompt.system));
                document.insert("prompt".to_owned(), json!(prompt.user));
                if let Some((said, why)) = unread {
                    document.insert("unread".to_owned(), json!({"reply": said, "why": why}));
                }
                Call::Program(Program { provider: provider.clone(), input: Value::Object(document) })
            }
        }
    }
}
