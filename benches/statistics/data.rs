//! Made-up data from fixed seeds, the same on every machine.

use evalgauge::compare::{Identity, Labels, MetricValues, Scored, Side};
use evalgauge::score::Scale;
use evalgauge::stats::rng::{Stream, index_below, stream, uniform};

const SEED: u64 = 20_261_121;

fn flag(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

/// Scores between 0 and 1, no two alike.
pub fn continuous(n: usize) -> Vec<f64> {
    let mut rng = stream(SEED, 0);
    (0..n).map(|_| uniform(&mut rng).powi(3)).collect()
}

/// Grades of 0 to 3.
pub fn grades(n: usize) -> Vec<f64> {
    let mut rng = stream(SEED, 1);
    (0..n).map(|_| (0..3).map(|_| flag(uniform(&mut rng) < 0.7)).sum()).collect()
}

/// Differences of two scores of the same items, with a little of an effect.
pub fn differences(n: usize) -> Vec<f64> {
    let mut rng = stream(SEED, 2);
    (0..n).map(|_| uniform(&mut rng) - uniform(&mut rng) + 0.005).collect()
}

/// How many labels the two raters choose from.
pub const LABELS: u32 = 5;

/// The labels of two raters who agree on most items.
pub fn labels(n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut rng = stream(SEED, 3);
    let mut any = || index_below(LABELS as usize, &mut rng) as u32;
    (0..n)
        .map(|_| (any(), any(), any()))
        .map(|(label, other, dice)| (label, if dice == 0 { other } else { label }))
        .unzip()
}

/// Sentences of 15 to 34 words, and what a system made of them: about a fifth of the words replaced.
pub fn texts(pairs: usize) -> (Vec<String>, Vec<Vec<String>>) {
    let mut rng = stream(SEED, 4);
    let (mut hypotheses, mut references) = (Vec::with_capacity(pairs), Vec::with_capacity(pairs));
    for _ in 0..pairs {
        let words: Vec<String> = (0..15 + index_below(20, &mut rng)).map(|_| word(&mut rng)).collect();
        let other: Vec<String> =
            words.iter().map(|own| if uniform(&mut rng) < 0.2 { word(&mut rng) } else { own.clone() }).collect();
        hypotheses.push(format!("{}.", other.join(" ")));
        references.push(vec![format!("{}.", words.join(" "))]);
    }
    (hypotheses, references)
}

/// One of 5,000 words of two to five syllables, the first ones far more often than the last; some carry a comma.
fn word(rng: &mut Stream) -> String {
    const SYLLABLES: [&str; 10] = ["ka", "lo", "mi", "ne", "ru", "sta", "ter", "vi", "on", "eb"];
    let mut number = (uniform(rng).powi(3) * 5_000.0) as usize;
    let mut word = SYLLABLES[number % 7].to_owned();
    while number > 0 {
        word.push_str(SYLLABLES[number % 10]);
        number /= 10;
    }
    if index_below(12, rng) == 0 {
        word.push(',');
    }
    word
}

pub const METRICS: usize = 5;
pub const SLICES: usize = 30;
const KEYS: [&str; 3] = ["intent", "locale", "tier"];
const TRIALS: usize = 3;

/// One side of a comparison: examples with three labels of ten values each, and five metrics of three trials each: two
/// pass rates, a grade of 0 to 3, a score in hundredths and a continuous one. The head fell on `tier=v3`.
pub fn side(examples: usize, head: bool) -> Side {
    let mut rng = stream(SEED, 5);
    let values = SLICES / KEYS.len();
    let codes: Vec<[usize; 3]> = (0..examples).map(|_| KEYS.map(|_| index_below(values, &mut rng))).collect();
    // How easy each example is: most pass nearly always.
    let rates: Vec<f64> = (0..examples).map(|_| uniform(&mut rng).powf(0.25)).collect();
    let grade = Scale { low: 0.0, high: 3.0, higher_is_better: true };
    let metrics = [
        ("passed", Scale::UNIT, true),
        ("format", Scale::UNIT, true),
        ("grade", grade, false),
        ("f1", Scale::UNIT, false),
        ("similarity", Scale::UNIT, false),
    ];
    assert_eq!(metrics.len(), METRICS);
    let metrics = metrics.into_iter().enumerate().map(|(number, (name, scale, has_passes))| {
        let mut rng = stream(SEED, 6 + 2 * number as u64 + u64::from(head));
        let mut metric = MetricValues::new(name, scale, has_passes);
        for (rate, codes) in rates.iter().zip(&codes) {
            let rate = if head && codes[2] == 3 { rate - 0.3 } else { *rate };
            metric.push((0..TRIALS).map(|_| {
                let near = (rate + 0.2 * (uniform(&mut rng) - 0.5)).clamp(0.0, 1.0);
                let value = match number {
                    0 | 1 => flag(uniform(&mut rng) < rate),
                    2 => (0..3).map(|_| flag(uniform(&mut rng) < rate)).sum(),
                    3 => (near * 100.0).round() / 100.0,
                    _ => near,
                };
                Some(Scored { value, passed: value == scale.high })
            }));
        }
        metric
    });
    let metrics = metrics.collect();
    let labels = KEYS.iter().enumerate().map(|(key, name)| {
        let mut labels = Labels::new(*name);
        labels.names = (0..values).map(|value| format!("v{value}")).collect();
        for codes in &codes {
            labels.push([codes[key] as u32]);
        }
        labels
    });
    let ids: Vec<String> = (0..examples).map(|example| format!("example-{example:05}")).collect();
    Side {
        identity: Identity {
            name: "generated".to_owned(),
            source: "generated".to_owned(),
            sha256: String::new(),
            candidate: None,
            git_revision: None,
            pins: None,
            complete: true,
        },
        ids: ids.iter().map(String::as_str).collect(),
        groups: None,
        labels: labels.collect(),
        metrics,
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured: Vec::new(),
    }
}
