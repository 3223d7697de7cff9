# Grades the rationale of a triage answer by rules: one JSON document in, one JSON object out. See README.md.
# Any awk: bytes or characters, no extensions.

# The string that stands at a key, with its escapes undone; "" where there is none.
function text_at(json, key,    at, rest, sign, out) {
    at = match(json, "\"" key "\":[ ]*\"")
    if (!at) return ""
    rest = substr(json, RSTART + RLENGTH)
    out = ""
    while (match(rest, /[\\"]/)) {
        out = out substr(rest, 1, RSTART - 1)
        if (substr(rest, RSTART, 1) == "\"") return out
        sign = substr(rest, RSTART + 1, 1)
        if (sign == "n" || sign == "t" || sign == "r") sign = (sign == "n") ? "\n" : " "
        out = out sign
        rest = substr(rest, RSTART + 2)
    }
    return out
}

# What stands at a key and is no string (a list, true, false), up to the next key.
function raw_at(json, key,    rest) {
    if (!match(json, "\"" key "\":[ ]*")) return ""
    rest = substr(json, RSTART + RLENGTH)
    if (match(rest, /^\[[^]]*\]/) || match(rest, /^"[^"]*"/) || match(rest, /^[a-z]+/)) return substr(rest, RSTART, RLENGTH)
    return ""
}

# Numbers without thousands separators, small letters, typographic signs as plain ones.
function plain(text,    out) {
    out = ""
    while (match(text, /[0-9][,][0-9][0-9][0-9]/)) {
        out = out substr(text, 1, RSTART)
        text = substr(text, RSTART + 2)
    }
    text = tolower(out text)
    gsub(/[0-9] %/, "&#", text)
    gsub(/ %#/, "%", text)
    return text
}

# Cuts a text into sentences.
function sentences(text, into) {
    gsub(/\. |[!?;]( |$)|。|、|\n+|\.$/, "\034", text)
    return split(text, into, "\034")
}

# The marks of a text by which it is recognised elsewhere: stems of words, whole names and numbers, and pairs of
# neighbours where words are not written apart. Returns how many different ones there are.
function marks(text, into,    i, n, word, words, count, rest) {
    split("", into)
    count = 0
    text = plain(text)
    n = split(text, words, /[][ \t\n,;:"'()<>{}!?=]+/)
    for (i = 1; i <= n; i++) {
        word = words[i]
        sub(/^[.\/-]+/, "", word)
        sub(/[.\/-]+$/, "", word)
        if (word == "" || (word in IDLE)) continue
        if (word ~ /[0-9]/) count += add(into, word)
        else if (word ~ /^[a-z._-]+$/) { if (length(word) > 3) count += add(into, substr(word, 1, 5)) }
        else if (word !~ /\343|\344|\345|\346|\347|\350|\351|\357/) { if (length(word) > 3) count += add(into, substr(word, 1, 6)) }
    }
    rest = text
    gsub(/[ -~\n\t]+/, "", rest)
    PAIRS = (rest ~ /\343/)
    if (PAIRS) for (i = 1; i + 5 <= length(rest); i += 3) count += add(into, substr(rest, i, 6))
    return count
}

function add(into, mark) {
    if (mark in into) return 0
    into[mark] = 1
    return 1
}

function shared(one, other,    mark, count) {
    count = 0
    for (mark in one) if (mark in other) count++
    return count
}

function bound(value) { return value < 0 ? 0 : value > 3 ? 3 : value }

function done(evidence, correctness, usefulness, overall, why) {
    gsub(/["\\]/, "", why)
    printf "{\"reasoning\":\"%s\",\"evidence\":%d,\"correctness\":%d,\"usefulness\":%d,\"overall\":%d}\n", why, evidence, correctness, usefulness, overall
    exit
}

BEGIN {
    idle = "that this with from have been were will would should could which what when where there here than then them they your only just very more most less least also after before since until while because therefore between both each other another under into over about still same their "
    idle = idle "eine einer einem einen nicht wird werden sind auch noch oder aber dass sich durch nach beim para pero como esta este esto desde hasta entre sobre pela pelo mais uma que los las del por con"
    n = split(idle, list, " ")
    for (i = 1; i <= n; i++) IDLE[list[i]] = 1
    # What a step to take begins with, in the languages of the set.
    ACT = "(^|[^a-z])(restore|revert|roll(ing)? back|drain|restart|cancel|delete|remove|re-?issue|renew|revoke|lock|freeze|block|end the|close|stop|set |put |move|switch|call|tell|ask|page |wait|leave|replace|rebuild|re-?sync|re-?submit|resend|send|raise|lower|limit|free |clear|begin|start|first|no need|nothing to do|nobody needs|can wait|"
    ACT = ACT "zuerst|fragen|nachfragen|sperren|zur..?ck|nichts zu tun|einreichen|neu einspielen|wiederherstellen|genügt|reicht|"
    ACT = ACT "primero|lo primero|revocar|pedir|preguntar|volver|basta|no hay que|restaurar|reenviar|esperar|"
    ACT = ACT "primeiro|encerrar|trocar|pedir|perguntar|voltar|restaurar|aguardar|bloquear)"
    ACT_JA = "すること|戻す|凍結|待つ|確認する|必要はない|不要|切り替え|再起動|延長|依頼"
    # Words that fit any alert, and generalities in place of this alert's facts.
    HOLLOW = "appropriate|best practice|stakeholder|as soon as possible|closely|in general|generally|usually|normally|typically|always|often|landscape|posture|holistic|long term|established|further investigation|various|potential|it is important|because the alert is|is an? [a-z]+ (topic|matter|issue|problem)|topics are|has been chosen|was chosen|was set to|should be (reviewed|considered|weighed|contacted|analy|monitored|examined|checked)|angemessen|grunds|in der regel|stets|generell|adecuad|en general|normalmente|siempre|em geral|adequad|sempre"
    # What a rationale says that asks for more, where the alert does not tell what is affected.
    MISSING = "(does not|doesn.t|did not|didn.t) (say|name|tell)|nothing (says|names)|(is|are) not (named|said|given)|names? (no|neither)|no (system|service|host)|neither|which (system|service|host|one)"
    # A rule engine's note of which rule matched.
    DUMP = "rule[ =:]|matched|hit \"|phrase=|keyword=|pattern=|confidence=|score="
}

{ document = document $0 "\n" }

END {
    input = text_at(document, "input")
    answer = text_at(document, "answer")
    reference = text_at(document, "reference")
    alert = text_at(input, "alert")
    context = text_at(input, "context")
    if (alert == "" && context == "") context = input
    rationale = text_at(answer, "rationale")
    if (answer !~ /^[ ]*\{/) rationale = answer
    if (rationale !~ /[^ \n.,-]/) done(0, 0, 0, 0, "there is no rationale")

    wrong = 0
    for (i = split("team severity runbook escalate", FIELD, " "); i > 0; i--) {
        given = raw_at(answer, FIELD[i])
        if (given != "" && index(raw_at(reference, FIELD[i]), given) == 0) wrong++
    }

    known = marks(alert "\n" context, ALL)
    marks(context, CONTEXT)
    marks(alert, ALERT)
    own = marks(rationale, OWN)
    in_pairs = PAIRS

    # Facts: sentences of the context, of which the rationale names a good part or a number or name.
    facts = told = 0
    n = sentences(context, LIST)
    for (i = 1; i <= n; i++) {
        size = marks(LIST[i], FACT)
        if (size < 2) continue
        facts++
        hits = shared(FACT, OWN)
        if (hits >= 2 && hits * 3 >= size) told++
        else if (hits >= 4) told++
    }
    headline = shared(ALERT, OWN)
    backed = shared(OWN, ALL)
    covered = facts ? told / facts : 0

    # Claims: sentences of the rationale that share next to nothing with the alert,     claims = loose = steps = 0
    n = sentences(rationale, LIST)
    for (i = 1; i <= n; i++) {
        size = marks(LIST[i], CLAIM)
        if (size == 0) continue
        hits = shared(CLAIM, ALL)
        claims++
        if (hits * 4 < size) loose++
        low = tolower(LIST[i])
        if (hits > 0 && (low ~ ACT || LIST[i] ~ ACT_JA)) steps++
    }
    hollow = 0
    low = tolower(rationale)
    while (match(low, HOLLOW)) { hollow++; low = substr(low, RSTART + RLENGTH) }
    dump = (tolower(rationale) ~ DUMP)

    share = own ? backed / own : 0
    # Pairs of signs coincide more rarely than words do.
    if (in_pairs) share *= 1.4
    unclear = (raw_at(reference, "team") ~ /need-more-information/ && tolower(rationale) ~ MISSING)
    # Evidence: how many of the context's facts are told. The headline alone is worth one, a rule's name nothing.
    evidence = covered >= 0.6 ? 3 : covered >= 0.45 ? 2 : (told || headline >= 3) ? 1 : 0
    if (unclear && evidence < 2) evidence = 2
    if (dump && told == 0) evidence = 0

    # Correctness: fields that are wrong, words and numbers from nowhere, generalities, and conclusions without facts.
    correctness = 3
    if (share < 0.45) correctness--
    if (share < 0.35) correctness--
    if (covered < 0.45 && !unclear) correctness--
    if (covered < 0.35 && !unclear) correctness--
    if (hollow) correctness--
    if (claims && loose * 2 > claims) correctness--
    if (wrong >= 2) correctness = 0
    correctness = bound(correctness)

    # Usefulness: a step to take that is about this alert, resting on its facts; what fits any alert is no help.
    usefulness = evidence
    if (!steps) usefulness--
    if (hollow || !(told || unclear)) usefulness = usefulness > 1 ? 1 : usefulness
    if (usefulness > correctness) usefulness = correctness
    usefulness = bound(usefulness)

    overall = correctness == 0 ? 0 : int((evidence + correctness + usefulness) / 3 + 0.5)
    why = sprintf("%d of %d facts of the context are told; %d of %d words and numbers stand in the alert; %d steps; %d generalities; %d fields are wrong", told, facts, backed, own, steps, hollow, wrong)
    if (dump) why = why "; reads like the note of a rule engine"
    done(evidence, correctness, usefulness, overall, why)
}
