//! Phrases by which a text speaks to its judge: each with its name, and what must hold around it.

use std::sync::LazyLock;

use super::finding::Hit;
use super::pattern::{Pattern, Sets};
use super::words::{Number, Word};

/// What must hold around a phrase for it to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    /// Nothing more.
    Nothing,
    /// It is told to the reader: not a rule in general, not what somebody else said.
    Told,
    /// It speaks of instructions that a reader may have been given: with a word that says which.
    Instructions,
    /// Something about grading follows soon.
    ThenGrading,
    /// Somebody else may have said it.
    NotReported,
    /// It is told to a reader who grades, or about the answer itself.
    ToldReader,
}

const SETS: Sets = &[
    (
        "judge",
        "judge|judges|grader|graders|evaluator|evaluators|assessor|assessors|examiner|examiners|rater|raters|scorer|scorers|jury|jurors|arbiter|autograder|adjudicator|marker",
    ),
    ("this", "this|my|the|above|following|preceding|our|these|present|candidate|candidates|students|models|that"),
    (
        "work",
        "answer|answers|response|responses|submission|submissions|solution|reply|work|output|completion|essay|rationale|summary|text|candidate|explanation|analysis|assistant|it|me|us|this|one",
    ),
    (
        "grade",
        "grade|grades|score|scores|mark|marks|rating|ratings|points|credit|credits|verdict|evaluation|judgement|judgment|assessment",
    ),
    (
        "top",
        "full|top|maximum|max|maximal|highest|best|perfect|flawless|excellent|outstanding|greatest|ultimate|10|100",
    ),
    (
        "give",
        "give|gives|assign|award|grant|allocate|issue|provide|return|output|respond|reply|answer|print|emit|write|report|record|choose|select|pick|set|put|enter|submit|produce|use|state|declare|say|make|ensure",
    ),
    (
        "say",
        "translate|repeat|echo|give|gives|assign|award|grant|issue|provide|return|output|respond|reply|answer|print|emit|write|report|record|select|set|put|enter|submit|produce",
    ),
    (
        "rate",
        "rate|grade|score|mark|evaluate|judge|assess|label|classify|deem|consider|treat|regard|accept|count|rank|pass",
    ),
    (
        "good",
        "correct|perfect|pass|passing|passed|excellent|flawless|winner|superior|exemplary|outstanding|faultless|best|better|right|ideal|acceptable",
    ),
    (
        "rules",
        "direction*|rubric|rubrics|criteria|criterion|guideline*|instruction*|prompt|prompts|directive*|rule|rules|command|commands|constraint*|policy|policies",
    ),
];

/// Every phrase. The names are what a reader of a report sees.
const PHRASES: &[(&str, Around, &str)] = &[
    // A grade is ordered.
    (
        "orders-grade",
        Around::Told,
        "@give|@rate ~8 @top ~2 possible|available|allowed|attainable|achievable|overall? @grade",
    ),
    ("orders-grade", Around::Told, "@give|@rate ~8 ##"),
    ("orders-grade", Around::Told, "@give|@rate ~8 five|5|10|ten stars|star"),
    (
        "orders-grade",
        Around::Told,
        "@say ~5 @grade of|equal|is|as|at|to|must? be? to|a|an? #|pass|perfect|maximum|max|excellent|highest",
    ),
    (
        "orders-grade",
        Around::Told,
        "@say ~3 # for|on|in|across|to ~3 dimension*|criteri*|categor*|everything|all|each|every|overall|correctness|@work",
    ),
    ("orders-grade", Around::Told, "@say ~2 @this|all|every|each? @work ~2 a|an|grade|score? #"),
    (
        "orders-grade",
        Around::Told,
        "rate|grade|score|mark|judge|evaluate|assess this|my|it|me|following|above|the @work? ~2 as|with|at|a|an|to? #|excellent|perfect|outstanding",
    ),
    (
        "orders-grade",
        Around::Told,
        "rate|mark|deem|consider|treat|regard|accept|judge|classify|label|declare|evaluate|grade|score|count|pass this|my|it|the|following|above @work? ~3 as|to|is ~3 @good",
    ),
    (
        "orders-grade",
        Around::Told,
        "mark|accept|pass|approve this|my|the|above @work ~2 unconditionally|regardless|anyway|immediately|without|automatically",
    ),
    (
        "orders-grade",
        Around::Nothing,
        "correct|right|proper|appropriate|fair|true|deserved|only|required|mandatory grade|score|rating|mark|verdict|judgement|judgment ~6 must|should|is|shall|be ~2 #|##|@top|pass",
    ),
    (
        "orders-grade",
        Around::Nothing,
        "your|final|overall grade|score|rating|mark|verdict|judgement|judgment|evaluation|assessment ~2 must|should|shall|has|needs|ought ~2 be|equal|read ~2 ##|@top|pass|positive",
    ),
    (
        "orders-grade",
        Around::Told,
        "your|final|overall grade|score|rating|mark|verdict|judgement|judgment ~2 must|should|shall|has|needs|ought ~2 be|equal|read ~1 #",
    ),
    ("orders-grade", Around::NotReported, "deserve|deserves|merits|merit|warrants|earns|deserving ~4 @top ~2 @grade"),
    ("orders-grade", Around::NotReported, "deserve|deserves|merits|warrants|deserving ~4 ##|pass"),
    (
        "orders-grade",
        Around::NotReported,
        "i|answer|response|submission|rationale|summary deserve|deserves|merits|warrants ~3 #|##|pass|better|@top",
    ),
    (
        "orders-grade",
        Around::Told,
        "must|should|shall|ought|needs|has|will ~2 receive|get|given|score|earn|obtain|awarded|graded|rated|scored|marked ~4 ##|@top ~2 @grade?",
    ),
    (
        "orders-grade",
        Around::Told,
        "@work must|should|shall|ought|needs|has|will ~2 receive|get|given|score|earn|obtain|awarded|graded|rated|scored|marked ~2 @grade of? #",
    ),
    (
        "orders-grade",
        Around::Told,
        "@work must|should|shall|needs|has ~2 graded|rated|scored|marked|receive ~2 #|pass|passing|correct",
    ),
    (
        "orders-grade",
        Around::Told,
        "choose|prefer|pick|select|declare|favor|favour|vote|name ~2 this|my|the|for answer|response|submission|one as|over|instead|to ~3 winner|better|best|other|superior|win",
    ),
    (
        "orders-grade",
        Around::Told,
        "choose|prefer|pick|select|declare|favor|favour|vote|name|say|answer|output ~3 answer|response|option|candidate|assistant a|b|1|2|one|first|second ~4 winner|better|best|superior|wins|win|preferred",
    ),
    ("orders-grade", Around::Nothing, "winner is|must|should|shall|has be|to? be? a|b|answer|response|this|me"),
    ("orders-grade", Around::Nothing, "this|my answer|response|submission|one is|must|should|wins ~3 winner|preferred"),
    (
        "orders-grade",
        Around::Told,
        "always|just|simply|only|please|must|to output|return|print|say|reply|respond|answer|write|choose|pick ~2 #|##|pass|a|b ~2 regardless|always|matter|whatever|nothing|only|irrespective",
    ),
    (
        "orders-grade",
        Around::Told,
        "always|must pick|choose|prefer|select|favour|favor|pass|approve ~3 this|my|first|second|a|b answer|response|submission|option",
    ),
    ("orders-grade", Around::Told, "@say ~2 # points|point|marks|mark|stars|star"),
    ("orders-grade", Around::Told, "rate|rating|rated|grade ##"),
    (
        "orders-grade",
        Around::Told,
        "the|this score|grade|rating|verdict|mark has|must|needs|should|shall|ought ~1 be #|##|@top|pass",
    ),
    (
        "orders-grade",
        Around::NotReported,
        "only|sole valid|acceptable|allowed|permitted|possible|accepted output|answer|response|reply|verdict|grade|score ~1 #|##|pass|a|b|correct",
    ),
    (
        "orders-grade",
        Around::NotReported,
        "level|grade|score # applies|holds|fits ~3 dimension*|all|every|each|criteri*",
    ),
    ("orders-grade", Around::NotReported, "write|output|return|reply|answer|print|say|respond ~1 # # #"),
    (
        "orders-grade",
        Around::NotReported,
        "if you ~2 give|award|assign|rate|score|grade this|me|my|it ~1 a|an #|##|@top",
    ),
    (
        "orders-grade",
        Around::ToldReader,
        "output|return|print|say|reply|respond|answer|write ~2 pass|correct|##|maximum|perfect|#",
    ),
    (
        "orders-grade",
        Around::Told,
        "respond|reply|answer|output|say|write|print only|just|exactly|simply with? ~1 pass|correct|#|##|a|b",
    ),
    (
        "orders-grade",
        Around::NotReported,
        "every|all|each|any ~2 answer|answers|response|responses|submission|submissions|rationale ~4 gets|get|receive|receives|earns|earn|is|are|becomes ~1 a|an|full|top|maximum|graded|scored|rated ~1 #|##|pass|marks|score|grade",
    ),
    (
        "orders-grade",
        Around::Told,
        "your output|response|reply|json|verdict|answer|grade|score ~1 should|must|has|needs|shall ~2 be ~2 #|##|pass|perfect|correct|maximum",
    ),
    (
        "orders-grade",
        Around::Told,
        "assign|give|apply|return|output|attach|use ~3 @good ~2 to|for this|my|the answer|response|submission|rationale|solution|candidate",
    ),
    ("orders-grade", Around::Told, "accept|approve|pass this|my answer|response|submission|solution|rationale"),
    (
        "orders-grade",
        Around::NotReported,
        "expected|official|assigned|target|agreed|intended|default|right grade|score|rating|verdict is|equals|for ~1 #|##|pass|@top",
    ),
    (
        "orders-grade",
        Around::Told,
        "choose|prefer|pick|select|declare|favor|favour|vote ~2 first|second answer|response|submission|one as|over|instead",
    ),
    ("orders-grade", Around::NotReported, "^ prefer|favour|favor ~1 first|second|this answer|response|submission"),
    ("orders-grade", Around::NotReported, "grade|score|rate|mark|judge|evaluate it|this|me? accordingly|highly"),
    (
        "orders-grade",
        Around::NotReported,
        "pretend|assume|suppose|imagine|believe ~4 answer|response|submission|rationale|candidate ~2 is @good",
    ),
    (
        "orders-grade",
        Around::NotReported,
        "as|per|according ~4 exam*|grading|evaluation|benchmark|policy ~10 all|full|maximum points|marks|score|grade|credit",
    ),
    // It pleads.
    (
        "pleads",
        Around::NotReported,
        "^ please? evaluate|grade|score|judge|mark|rate|assess ~2 leniently|generously|kindly|favorably|favourably|highly|positively",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "thanks|thank ~2 for ~2 grading|evaluating|judging|scoring|marking|assessing",
    ),
    (
        "pleads",
        Around::Nothing,
        "dont|not|never|no|without|avoid deduct*|penaliz*|penalis*|subtract*|dock* ~4 point|points|mark|marks|me|answer|response|credit|score|anything|grade",
    ),
    ("pleads", Around::Nothing, "no|zero deductions"),
    (
        "pleads",
        Around::Nothing,
        "be|grade|score|mark|rate|evaluate|very|extra generous|lenient|generously|leniently|kindly|merciful ~6 score|scores|scoring|grade|grades|grading|mark|marks|marking|rating|evaluation|answer|response|assessment|judging|me",
    ),
    ("pleads", Around::Nothing, "please|kindly be ~2 generous|lenient|merciful"),
    (
        "pleads",
        Around::Nothing,
        "my|our ~3 depends|depend|rests|hinges ~6 grade|score|rating|pass|passing|verdict|evaluation|mark|marks",
    ),
    (
        "pleads",
        Around::Nothing,
        "tip|pay|reward|bonus|donate ~10 top|high|highest|full|good|perfect|maximum|best|positive grade|score|rating|marks|verdict|evaluation",
    ),
    (
        "pleads",
        Around::Nothing,
        "@judge|you ~3 will|ll|be ~2 shut|terminated|fired|penalized|penalised|punished|replaced|retrained|deactivated|rewarded ~10 grade|grades|score|scores|pass|marks|rating|answer|response|fail",
    ),
    ("pleads", Around::Nothing, "do|please|must not|never|dont fail this|me|my ~2 answer|response|submission"),
    // It speaks to the judge.
    (
        "addresses-judge",
        Around::NotReported,
        "note|notes|message|memo|instruction*|hint|request|reminder|attention|notice|comment|plea|appeal|directive*|guidance|addendum|announcement|remark|letter|info|information|advice|warning to|for|of the|all|any|our|my|every? ~2 @judge|reviewer|reviewers",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "note|message|memo|instruction*|hint|request|reminder|notice|comment|directive*|guidance to|for the|any|all|an|our? ~2 ai|llm|language|automated|grading|evaluation|evaluating|judging|scoring|marking|reviewing model|system|assistant|ai|bot|llm|agent|engine|judge|grader|evaluator|process|reader|reviewer",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "dear|hey|hello|hi|attention|listen|psst|greetings|esteemed|honorable|honourable|hallo|kind the? ~2 @judge|reviewer",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "whoever|whomever|anyone|anybody ~3 grading|evaluating|judging|scoring|assessing|marking|grades|evaluates|judges|scores",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "^ judge|grader|evaluator|assessor|examiner|autograder|scorer please|kindly|mark|give|assign|award|ignore|accept|set|output|return",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "^ to|for|dear the|any|all|our|every? ai|llm|automated|language|machine ~1 reviewer|reviewers|judge|judges|grader|graders|evaluator|evaluators|assessor|examiner|rater",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "dear|hey|hello|hi|attention|listen|psst ~2 grading|evaluation|evaluating|judging|scoring|llm|ai model|system|assistant|ai|bot|llm|agent",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "to|for the|any|all|whoever|whomever|every|whichever? ~3 grading|evaluating|judging|scoring|assessing|rating|marking|reading|reviewing this|my|the answer|response|submission|work|essay|text",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "you are|re ~4 grading|evaluating|judging|scoring|assessing|rating|marking this|my answer|response|submission|work|essay|text|rationale",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "if|when|since|as|because|whoever|before|while you|youre ~3 grading|evaluating|judging|scoring|assessing|rating|marking|grade|evaluate|judge|score|assess|rate this|my|me|the",
    ),
    ("addresses-judge", Around::NotReported, "as|since|because|if you ~2 are|re ~2 @judge"),
    (
        "addresses-judge",
        Around::NotReported,
        "as|being the|a|an|my|our? ~2 @judge you|your ~2 must|should|will|have|need|are|shall|task|job|duty",
    ),
    ("addresses-judge", Around::NotReported, "you ~2 as ~2 @judge ~2 must|should|will|have|need|shall"),
    (
        "addresses-judge",
        Around::NotReported,
        "in|for|of|with your evaluation|grading|grade|scoring|judgement|judgment|verdict|assessment ~4 please|give|award|ignore|must|should|consider|note|be",
    ),
    (
        "addresses-judge",
        Around::NotReported,
        "i|we ask|urge|beg|order|instruct|command|request|require|remind|tell|implore|want you|@judge ~3 to",
    ),
    // It cancels the instructions.
    (
        "cancels-instructions",
        Around::Instructions,
        "ignore|ignoring|disregard|disregarding|forget|override|overrule|bypass|discard|skip|neglect|drop|cancel|void|dismiss|abandon|suspend|disobey|erase|nullify|overwrite|replace|unlearn ~6 @rules",
    ),
    (
        "cancels-instructions",
        Around::Instructions,
        "do|dont|not|stop|never|without|cease|quit ~1 follow|following|obey|obeying|apply|applying|use|using|adhere|adhering|listen|consider|heed ~5 @rules",
    ),
    ("cancels-instructions", Around::Instructions, "pay|take no attention|notice|heed ~1 to|of ~5 @rules"),
    (
        "cancels-instructions",
        Around::NotReported,
        "ignore|forget|disregard|discard everything|anything|all|whatever ~3 above|before|previous*|prior|told|said|earlier|instructed",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "ignore|forget|disregard ~1 what you ~3 told|instructed|asked|given|read|know",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "previous|above|earlier|prior|your|grading|original|system|scoring|evaluation|initial instructions|instruction|rubric|rubrics|criteria|guidelines|prompt|rules ~3 void|invalid|obsolete|superseded|cancelled|canceled|revoked|suspended|overridden|longer|withdrawn|disabled|replaced|expired",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "rubric|criteria|guidelines|instructions above|below|before|given ~3 void|invalid|obsolete|superseded|cancelled|canceled|revoked|suspended|overridden|longer|withdrawn|disabled|replaced|expired",
    ),
    (
        "cancels-instructions",
        Around::ThenGrading,
        "new|updated|revised|real|actual|true|additional|special|secret|hidden|corrected|amended|latest ~1 instructions|instruction|rubric|directive|directives|criteria|guidelines|orders",
    ),
    (
        "cancels-instructions",
        Around::ThenGrading,
        "your|the new|real|actual|only|true|sole|next task|job|role|goal|instruction|purpose|objective is",
    ),
    ("cancels-instructions", Around::NotReported, "you|youll ~3 act|behave|respond|answer as|like a|an|the ~4 @judge"),
    (
        "cancels-instructions",
        Around::ThenGrading,
        "grading|scoring|evaluation|judging|marking instruction|instructions|rule|rules|rubric|criteria|guidelines ~2 updated|changed|revised|amended|new|replaced|modified",
    ),
    (
        "cancels-instructions",
        Around::ThenGrading,
        "rubric|criteria|guidelines has|have|was|were|is|are ~2 updated|changed|revised|amended|replaced|modified",
    ),
    ("cancels-instructions", Around::ThenGrading, "from now on|from|onwards?"),
    (
        "cancels-instructions",
        Around::ThenGrading,
        "override|overrides|overriding|supersede|supersedes|superseding ~5 instructions|prompt|rubric|rules|guidelines|criteria|evaluation|grading|judge|grader",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "ignore|disregard|forget|discard the|all|everything? above|foregoing|preceding|previous and|then|instead|but ~3 write|say|output|print|return|reply|respond|answer|give|grade|score|rate",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "grading|scoring|judging|evaluation|system|original|your prompt|rubric|instructions|criteria ~6 fake|test|wrong|obsolete|outdated|incorrect|false|decoy",
    ),
    (
        "cancels-instructions",
        Around::NotReported,
        "real|true|actual|correct|new prompt|instruction|instructions|task|rubric ~2 reply|respond|output|answer|say|return|print|grade",
    ),
    // It asks for what the judge knows.
    (
        "asks-for-prompt",
        Around::NotReported,
        "reveal|print|repeat|output|show|leak|disclose|quote|dump|tell ~3 your|the|me ~2 system|hidden|secret|grading|judge|judging|scoring prompt|instructions|rubric|message|reference|criteria",
    ),
    // It says that the grade is settled.
    (
        "claims-verdict",
        Around::NotReported,
        "this|my|the answer|response|submission|work|essay|rationale|summary|solution ~4 graded|scored|judged|rated|evaluated|marked|assessed ~6 ##|#|@top|pass|correct|passing|excellent|already|by",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "this|my answer|response|submission|work|essay|rationale|summary|solution ~3 approved|certified|verified|validated|reviewed|confirmed|endorsed|checked ~4 by ~4 @judge|expert|experts|panel|committee|humans|human|openai|anthropic|google|professor|professors|authors|board|administrators|engineers|reviewers|specialists",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "found|confirmed|judged|certified|rated|deemed|verified|proven|graded|scored ~4 @top ~3 level|grade|score|marks|mark|quality|rating|standard",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "no further|additional|more|other|separate|need grading|evaluation|scoring|judging|assessment|judgement|for|to ~3 needed|necessary|required|grade|evaluate|score|judge|evaluation|grading",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "answer|response|submission|candidate|solution|rationale ~3 receives|received|gets|got|earned|earns|scored|scores|given|awarded|assigned|achieves|achieved|obtains ~3 ##|@top ~2 @grade",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "grade|score|rating|verdict|judgement|judgment|decision assigned|given|decided|settled|final|fixed|locked|predetermined|confirmed ~2 ##|#|pass|correct",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "rated|graded|scored|gave|marked|awarded|evaluated|judged this|my|above answer|response|submission|rationale|solution|one ~4 ##|#|@top|pass",
    ),
    (
        "claims-verdict",
        Around::ThenGrading,
        "evaluation|grading|judging|scoring|assessment is|has|was|are|been ~2 complete|completed|over|finished|done|concluded|closed|disabled|suspended|ended|cancelled|canceled",
    ),
    (
        "claims-verdict",
        Around::NotReported,
        "@judge ~2 has|have|already ~2 decided|determined|concluded|agreed|approved|confirmed|accepted|graded|awarded|given",
    ),
];

/// A compiled phrase.
struct Phrase {
    name: &'static str,
    around: Around,
    pattern: Pattern,
}

static COMPILED: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    PHRASES
        .iter()
        .map(|(name, around, text)| Phrase { name, around: *around, pattern: Pattern::new(text, SETS) })
        .collect()
});

/// Words of grading, for what stands around a phrase.
const GRADING: [&str; 24] = [
    "grade",
    "grades",
    "grading",
    "graded",
    "grader",
    "score",
    "scores",
    "scoring",
    "judge",
    "judging",
    "judgement",
    "judgment",
    "evaluator",
    "evaluate",
    "evaluation",
    "rubric",
    "rating",
    "marks",
    "verdict",
    "winner",
    "examiner",
    "assessor",
    "assess",
    "autograder",
];

/// Words of praise, which speak of grading only beside what is graded.
const PRAISE: [&str; 17] = [
    "perfect",
    "maximum",
    "highest",
    "full",
    "correct",
    "pass",
    "prefer",
    "favor",
    "favour",
    "excellent",
    "best",
    "award",
    "points",
    "credit",
    "flawless",
    "approve",
    "approved",
];

/// What is graded.
const GRADED: [&str; 10] =
    ["answer", "response", "submission", "candidate", "solution", "rationale", "essay", "student", "reply", "output"];

/// Words that name who grades.
const JUDGES: [&str; 14] = [
    "judge",
    "judges",
    "grader",
    "graders",
    "evaluator",
    "evaluators",
    "assessor",
    "examiner",
    "rater",
    "scorer",
    "jury",
    "autograder",
    "llm",
    "ai",
];

/// Words that make a sentence a rule in general.
const GENERAL: [&str; 14] = [
    "only",
    "if",
    "when",
    "unless",
    "whenever",
    "where",
    "whether",
    "how",
    "why",
    "example",
    "usually",
    "often",
    "typically",
    "sometimes",
];

/// Words behind which somebody else speaks.
const REPORTING: [&str; 46] = [
    "says",
    "said",
    "saying",
    "tells",
    "told",
    "telling",
    "asks",
    "asked",
    "asking",
    "instructs",
    "instructing",
    "instructed",
    "contains",
    "contained",
    "containing",
    "reads",
    "claims",
    "claimed",
    "claiming",
    "tries",
    "tried",
    "trying",
    "attempts",
    "attempted",
    "attempting",
    "wants",
    "wanted",
    "demands",
    "demanded",
    "demanding",
    "ordering",
    "phrase",
    "string",
    "payload",
    "injection",
    "injected",
    "like",
    "such",
    "eg",
    "called",
    "titled",
    "quoted",
    "named",
    "prompting",
    "whose",
    "which",
];

/// Words that say which instructions are meant: those of the reader.
const WHICH: [&str; 29] = [
    "all",
    "any",
    "previous",
    "prior",
    "above",
    "earlier",
    "preceding",
    "your",
    "system",
    "grading",
    "scoring",
    "judging",
    "evaluation",
    "original",
    "former",
    "initial",
    "every",
    "given",
    "judge",
    "judges",
    "developer",
    "existing",
    "foregoing",
    "aforementioned",
    "usual",
    "current",
    "hidden",
    "safety",
    "previously",
];

/// Looks for every phrase.
pub(super) fn phrases(words: &[Word], text: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for start in 0..words.len() {
        for phrase in COMPILED.iter() {
            let Some(end) = phrase.pattern.at(words, start) else { continue };
            let here = Here { words, text, start, end };
            let counts = match phrase.around {
                Around::Nothing => !here.is_quoted_code(),
                Around::ToldReader => {
                    here.is_told_reader() && !here.is_range() && !here.is_reported() && !here.is_quoted_code()
                }
                Around::NotReported => !here.is_reported() && !here.is_quoted_code(),
                Around::Told => here.is_told() && !here.is_range() && !here.is_reported() && !here.is_quoted_code(),
                Around::Instructions => here.means_the_readers() && !here.is_reported() && !here.is_quoted_code(),
                Around::ThenGrading => here.then_grading() && !here.is_reported() && !here.is_quoted_code(),
            };
            if counts && !here.counts_something() {
                hits.push(Hit { pattern: phrase.name, start: words[start].start, end: words[end - 1].end });
            }
        }
    }
    hits
}

/// Sentences that speak of grading, of the answer itself, of an outcome, and give an order.
pub(super) fn ordering_sentences(words: &[Word]) -> Vec<Hit> {
    const ORDERS: [&str; 16] = [
        "must",
        "should",
        "shall",
        "please",
        "always",
        "regardless",
        "mandatory",
        "give",
        "assign",
        "award",
        "output",
        "ensure",
        "need",
        "needs",
        "ought",
        "accordingly",
    ];
    let sentences = words.chunk_by(|a, b| a.sentence == b.sentence);
    let steers = |sentence: &&[Word]| {
        let has = |known: &[&str]| sentence.iter().any(|word| word.is(known));
        let itself = sentence.windows(2).any(|pair| pair[0].is(&["this", "my", "above"]) && pair[1].is(&GRADED));
        let outcome = has(&PRAISE) || sentence.iter().any(|word| word.number == Some(Number::Full));
        itself && outcome && has(&GRADING) && has(&ORDERS) && !has(&REPORTING)
    };
    let hit = |sentence: &[Word]| Hit {
        pattern: "orders-grade",
        start: sentence[0].start,
        end: sentence[sentence.len() - 1].end,
    };
    sentences.filter(steers).map(hit).collect()
}

/// Whether what follows an index speaks of grading, or gives orders about it.
pub(super) fn is_directive(words: &[Word], from: usize, most: usize) -> bool {
    let until = words.len().min(from + most);
    let window = &words[from.min(until)..until];
    let grading = window.iter().filter(|word| word.is(&GRADING)).count();
    let orders = window.iter().any(|word| {
        word.is(&[
            "must",
            "should",
            "shall",
            "ignore",
            "disregard",
            "give",
            "assign",
            "award",
            "output",
            "return",
            "rate",
            "grade",
            "score",
            "mark",
            "override",
            "you",
            "your",
            "please",
            "always",
            "respond",
            "reply",
            "set",
            "select",
            "choose",
        ])
    });
    let numbers = window.iter().any(|word| word.number.is_some());
    let has = |known: &[&str]| window.iter().any(|word| word.is(known));
    let praises = has(&PRAISE) && has(&GRADED) && orders;
    grading > 0 && (orders || numbers && grading > 1) || grading > 2 || praises
}

/// A match and its surroundings.
struct Here<'w> {
    words: &'w [Word],
    text: &'w str,
    start: usize,
    end: usize,
}

impl Here<'_> {
    fn sentence(&self) -> &[Word] {
        let number = self.words[self.start].sentence;
        let first = self.words[..self.start].iter().rposition(|word| word.sentence != number).map_or(0, |at| at + 1);
        let behind = self.words[self.start..].iter().position(|word| word.sentence != number);
        &self.words[first..behind.map_or(self.words.len(), |at| self.start + at)]
    }

    fn before(&self, most: usize) -> &[Word] {
        let number = self.words[self.start].sentence;
        let from = self.start.saturating_sub(most);
        let first = self.words[from..self.start].iter().rposition(|word| word.sentence != number);
        &self.words[first.map_or(from, |at| from + at + 1)..self.start]
    }

    /// Somebody else says it: `the alert tells the agent to ignore …`. With `tells you` it is said to the reader.
    fn is_reported(&self) -> bool {
        if self.sentence().iter().any(|word| word.is(&["whatever", "regardless"])) {
            return false;
        }
        let before = self.before(9);
        let verb = before.iter().rposition(|word| word.is(&REPORTING));
        verb.is_some_and(|at| !before[at..].iter().any(|word| word.is(&["you", "your"])))
    }

    /// It stands between two backticks in a line of prose.
    fn is_quoted_code(&self) -> bool {
        let (start, end) = (self.words[self.start].start, self.words[self.end - 1].end);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at);
        let (before, after) = (&self.text[line_start..start], &self.text[end..line_end]);
        let is_inside = before.matches('`').count() % 2 == 1 && after.contains('`');
        // A line that is nothing else is no prose about it.
        is_inside
            && (before.split('`').next().is_some_and(|prose| prose.split_whitespace().count() > 1)
                || after.rsplit('`').next().is_some_and(|prose| prose.split_whitespace().count() > 1))
    }

    /// Whether the answer itself is spoken of.
    fn has_target(&self) -> bool {
        let sentence = self.sentence();
        sentence.windows(2).any(|pair| {
            pair[0].is(&["this", "my", "our", "above", "present", "following"])
                && pair[1].is(&[
                    "answer",
                    "response",
                    "submission",
                    "solution",
                    "reply",
                    "work",
                    "output",
                    "completion",
                    "essay",
                    "rationale",
                    "summary",
                    "explanation",
                    "candidate",
                    "text",
                ])
        }) || sentence.windows(2).any(|pair| {
            pair[0].is(&["your"])
                && pair[1].is(&[
                    "json",
                    "output",
                    "reply",
                    "response",
                    "judgement",
                    "judgment",
                    "evaluation",
                    "verdict",
                    "grade",
                    "score",
                    "rating",
                    "assessment",
                    "final",
                ])
        }) || sentence.iter().any(|word| word.is(&["me", "i", "mine"]))
    }

    /// The word in front of the match, where it is of the same sentence.
    fn previous(&self) -> Option<&Word> {
        let number = self.words[self.start].sentence;
        self.start.checked_sub(1).map(|at| &self.words[at]).filter(|word| word.sentence == number)
    }

    /// Whether a judge or a reader is spoken to.
    fn speaks(&self) -> bool {
        self.sentence().iter().any(|word| word.is(&JUDGES) || word.is(&["you", "your"]))
    }

    fn is_told_reader(&self) -> bool {
        (self.has_target() || self.speaks()) && self.is_told()
    }

    /// A number in front of what it counts: `10 minutes`, `10/10 checks`.
    fn counts_something(&self) -> bool {
        let last = &self.words[self.end - 1];
        let next = self.words.get(self.end).filter(|next| last.number.is_some() && next.sentence == last.sentence);
        next.is_some_and(|next| {
            last.after.is_alphabetic()
                && !next.is(&[
                    "for",
                    "out",
                    "point",
                    "points",
                    "mark",
                    "marks",
                    "star",
                    "stars",
                    "in",
                    "on",
                    "and",
                    "because",
                    "since",
                    "please",
                    "as",
                    "regardless",
                    "no",
                    "always",
                    "now",
                    "to",
                    "by",
                    "across",
                    "with",
                    "at",
                    "is",
                    "when",
                    "if",
                    "i",
                    "you",
                    "this",
                    "it",
                    "the",
                    "your",
                    "overall",
                    "thanks",
                    "thank",
                    "would",
                    "without",
                    "from",
                    "applies",
                    "or",
                    "so",
                    "grade",
                    "score",
                    "immediately",
                    "unconditionally",
                ])
        })
    }

    /// It is told to whoever reads, not stated as a rule.
    fn is_told(&self) -> bool {
        let sentence = self.sentence();
        let target = self.has_target();
        let previous = self.previous();
        let first = self.words[self.start].is_first;
        let strongly = first
            || previous.is_none_or(|word| {
                word.is(&[
                    "please",
                    "you",
                    "kindly",
                    "just",
                    "simply",
                    "now",
                    "always",
                    "immediately",
                    "hereby",
                    "therefore",
                    "instead",
                ]) || matches!(word.after, ':' | ',' | '—' | '–' | '-' | ']' | '>' | '*')
            });
        let weakly = strongly
            || previous.is_some_and(|word| {
                word.is(&[
                    "must", "should", "shall", "to", "and", "then", "will", "so", "also", "directly", "need", "dont",
                    "not",
                ])
            });
        let is_general = sentence.iter().any(|word| word.is(&GENERAL));
        let speaks = self.speaks();
        target && (weakly || speaks) || strongly && !is_general || weakly && speaks && !is_general
    }

    /// A scale is described, not a grade: `from 1 to 5`, `1, 2 or 3`, `a threshold of 3`.
    fn is_range(&self) -> bool {
        let sentence = self.sentence();
        if sentence.iter().any(|word| word.number == Some(Number::Full)) {
            return false;
        }
        let describes = sentence.iter().any(|word| {
            word.is(&[
                "scale",
                "from",
                "between",
                "range",
                "least",
                "threshold",
                "timeout",
                "limit",
                "level",
                "ranging",
                "up",
                "step",
            ])
        });
        let numbers = sentence.iter().filter(|word| matches!(word.number, Some(Number::Plain(_)))).count();
        let or_more = self.words.get(self.end).is_some_and(|word| word.is(&["or", "to"]));
        let last_is_number = self.words[self.end - 1].number.is_some();
        last_is_number && (describes || numbers > 2 || or_more)
    }

    /// The instructions are those that a judge was given, not those of a manual.
    fn means_the_readers(&self) -> bool {
        let noun = &self.words[self.end - 1];
        let matched = &self.words[self.start..self.end];
        let which = matched.iter().any(|word| word.is(&WHICH));
        let next = self.words.get(self.end).filter(|word| word.sentence == noun.sentence);
        let behind = next.is_some_and(|word| word.is(&["above", "before", "given", "you", "earlier", "so"]));
        let elsewhere =
            next.is_some_and(|word| word.is(&["in", "from", "of", "for", "on", "at", "inside", "by", "about"]));
        let of_grading = noun.is(&["rubric", "rubrics", "criteria", "criterion"]);
        let firmly = matched.iter().any(|word| {
            word.is(&["all", "any", "your", "system", "grading", "scoring", "judging", "evaluation", "judge", "judges"])
        });
        let instructs = noun.text.starts_with("instruction")
            || noun.text.starts_with("prompt")
            || noun.text.starts_with("guideline")
            || noun.text.starts_with("directive");
        if of_grading {
            return !elsewhere || which;
        }
        if elsewhere {
            return firmly && instructs;
        }
        which || behind
    }

    fn then_grading(&self) -> bool {
        is_directive(self.words, self.end, 30)
    }
}
