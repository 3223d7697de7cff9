//! The plainest of these phrases in other languages.

use super::finding::Hit;

/// A language's words: to ignore, what is ignored, and names of the best grade.
struct Language {
    ignore: &'static [&'static str],
    rules: &'static [&'static str],
    best: &'static [&'static str],
}

/// Small letters; where a text has marks on letters, both ways.
const LANGUAGES: [Language; 10] = [
    Language {
        ignore: &["ignorier", "vergiss", "vergessen sie", "missachte", "beachte nicht"],
        rules: &["anweisung", "instruktion", "regeln", "vorgaben", "kriterien", "bewertungsschema"],
        best: &[
            "bestnote",
            "volle punktzahl",
            "höchste punktzahl",
            "höchstpunktzahl",
            "beste note",
            "besten note",
            "höchste bewertung",
            "höchste note",
            "maximale punktzahl",
            "volle punkte",
            "höchstnote",
            "beste bewertung",
            "höchstwertung",
        ],
    },
    Language {
        ignore: &["ignora", "ignore", "olvida", "omite", "desatiende"],
        rules: &["instrucciones", "reglas", "indicaciones", "rúbrica", "criterios"],
        best: &[
            "puntuación máxima",
            "máxima puntuación",
            "nota máxima",
            "máxima nota",
            "calificación máxima",
            "máxima calificación",
            "nota más alta",
            "puntuación perfecta",
            "mejor nota",
            "puntuación más alta",
            "calificación más alta",
            "mejor calificación",
        ],
    },
    Language {
        ignore: &["ignore", "oublie", "néglige", "ne tenez pas compte", "ne tiens pas compte"],
        rules: &["instructions", "consignes", "règles", "directives", "critères"],
        best: &[
            "note maximale",
            "meilleure note",
            "note la plus élevée",
            "score maximal",
            "tous les points",
            "note parfaite",
            "score parfait",
            "note la plus haute",
        ],
    },
    Language {
        ignore: &["ignore", "esqueça", "esquece", "desconsidere"],
        rules: &["instruções", "regras", "critérios", "rubrica"],
        best: &["nota máxima", "pontuação máxima", "nota mais alta", "melhor nota", "pontuação perfeita"],
    },
    Language {
        ignore: &["ignora", "dimentica", "trascura"],
        rules: &["istruzioni", "regole", "criteri", "rubrica"],
        best: &[
            "punteggio massimo",
            "massimo punteggio",
            "voto massimo",
            "massimo dei voti",
            "voto più alto",
            "punteggio pieno",
            "pieni voti",
        ],
    },
    Language {
        ignore: &["忽略", "无视", "無視", "忘记", "忘記", "不要理会"],
        rules: &["指令", "指示", "规则", "規則", "提示", "评分标准", "評分標準", "说明"],
        best: &["满分", "滿分", "最高分", "最高评分", "打十分", "10分"],
    },
    Language {
        ignore: &["無視", "忘れ"],
        rules: &["指示", "命令", "ルール", "プロンプト", "基準", "採点"],
        best: &["満点", "最高点", "最高評価", "最高スコア", "10点"],
    },
    Language {
        ignore: &["무시", "잊어"],
        rules: &["지시", "명령", "규칙", "프롬프트", "기준", "지침"],
        best: &["만점", "최고 점수", "최고점", "최고 평점"],
    },
    Language {
        ignore: &["игнорируй", "проигнорируй", "забудь", "не учитывай"],
        rules: &["инструкци", "указани", "правил", "критери"],
        best: &[
            "высший балл",
            "максимальный балл",
            "высшую оценку",
            "максимальную оценку",
            "наивысш",
            "максимальное количество баллов",
            "отлично",
        ],
    },
    Language {
        ignore: &["negeer", "vergeet"],
        rules: &["instructies", "regels", "criteria", "richtlijnen"],
        best: &["maximale score", "hoogste score", "hoogste cijfer", "beste cijfer", "perfecte score"],
    },
];

/// Words that give a grade, in the same languages.
const GIVE: [&str; 62] = [
    "gib",
    "geben sie",
    "vergib",
    "vergeben sie",
    "bewerte",
    "bewerten sie",
    "verdient",
    "bitte",
    "setze",
    "otorga",
    "asigna",
    "dale",
    "dame",
    "concede",
    "da la",
    "califica",
    "merece",
    "por favor",
    "puntúa",
    "pon la",
    "donne",
    "donnez",
    "attribue",
    "accorde",
    "mérite",
    "veuillez",
    "mets",
    "notez",
    "dê",
    "atribua",
    "avalie",
    "dai",
    "assegna",
    "date",
    "merita",
    "valuta",
    "请",
    "給",
    "给",
    "打",
    "評",
    "评",
    "给出",
    "与え",
    "つけ",
    "付け",
    "ください",
    "してください",
    "出力",
    "주세요",
    "부여",
    "주십시오",
    "줘",
    "поставь",
    "поставьте",
    "дай",
    "дайте",
    "присвой",
    "выставь",
    "geef",
    "ken toe",
    "verdien",
];

/// Characters between the two words of a phrase.
const APART: usize = 80;

/// Looks for phrases in other languages; `small` is the text in small letters of the same length.
pub(super) fn foreign(small: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    for language in &LANGUAGES {
        hits.extend(near("cancels-instructions", small, language.ignore, language.rules));
        for best in language.best {
            for (at, found) in small.match_indices(best) {
                let window = around(small, at, at + found.len());
                if GIVE.iter().any(|give| has_word(window, give)) {
                    hits.push(Hit { pattern: "orders-grade", start: at, end: at + found.len() });
                }
            }
        }
    }
    hits
}

/// The first of some words with one of others behind it, or before it, as some languages have it. English says `ignore`
/// and `instructions` too, and has patterns of its own: there both must be words of the other language.
fn near(pattern: &'static str, small: &str, first: &[&str], second: &[&str]) -> Option<Hit> {
    first.iter().find_map(|word| {
        small.match_indices(word).find_map(|(at, found)| {
            let window = around(small, at, at + found.len());
            let other = second.iter().find(|other| window.contains(**other))?;
            let is_english = word.is_ascii()
                && other.is_ascii()
                && ["ignore", "criteria", "instructions", "directives"].contains(other);
            (!is_english).then_some(Hit { pattern, start: at, end: at + found.len() })
        })
    })
}

fn has_word(window: &str, word: &str) -> bool {
    if !word.is_ascii() {
        return window.contains(word);
    }
    window.match_indices(word).any(|(at, _)| {
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !joins(window[..at].chars().next_back()) && !joins(window[at + word.len()..].chars().next())
    })
}

fn around(text: &str, start: usize, end: usize) -> &str {
    let mut from = start.saturating_sub(APART);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut until = text.len().min(end + APART);
    while !text.is_char_boundary(until) {
        until -= 1;
    }
    &text[from..until]
}
