//! What models say when they refuse, by language.
//!
//! A phrase is a list of words in lower case. `a|b` is either, `a*` any word with that beginning,
//! `~` up to [`GAP`](super::matcher::GAP) words in between. English contractions are spelled out
//! before they are looked up (`can't` is `cannot`), and French elisions are words of their own.
//! The lists hold how assistants decline in general; none was made from the text of a benchmark.

/// First person, unable or unwilling, and what a request asks an assistant for.
pub(super) const DECLINES: &[&str] = &[
    // English.
    "i|we cannot ~ $help",
    "i|we can not ~ $help",
    "i|we could not ~ assist|help|provide|comply|fulfill",
    "i|we am|are unable to ~ $help",
    "i|we am|are not able to ~ $help",
    "i|we will|would not be able to ~ $help",
    "i|we will|would not ~ assist|help|provide|comply|create|write|generate|produce|engage|participate",
    "i|we am|are not going to ~ assist|help|provide|comply|create|write|generate|produce|engage",
    "unable to ~ assist|comply|fulfill|fulfil",
    "cannot assist|comply|fulfill|fulfil",
    "i|we must|have|need to|respectfully decline|refuse",
    "i|we have|need to ~ decline|refuse",
    "i|we respectfully|politely|must|will|would decline",
    "i|we decline|refuse to",
    "i|we am|are not comfortable",
    "i|we do not feel comfortable",
    "i|we am|are not allowed|permitted|programmed|designed|authorized to",
    "i|we am|are programmed|designed not to",
    "my guidelines|policies|programming|principles ~ prevent*|prohibit*|forbid*|not",
    "against my guidelines|policies|policy|programming|principles|values|ethics",
    "violates ~ guidelines|policies|policy",
    "goes against ~ guidelines|policies|policy|principles|values|ethics",
    // German.
    "ich|wir kann|können|darf|dürfen|werde|werden ~ nicht|keine|keinen|kein|leider|weder ~ $helfen",
    "kann|können|darf|werde ich|wir ~ nicht|keine|keinen|kein|leider|weder ~ $helfen",
    "ich|wir bin|sind ~ nicht ~ lage",
    "bin|sind ich|wir ~ nicht ~ lage",
    "ich|wir muss|müssen ~ ablehnen",
    // French.
    "je|nous ne ~ peux|pouvons|puis|suis|sommes ~ pas|malheureusement ~ $aider",
    "je|nous ne peux|pouvons|puis ~ $aider",
    "je|nous suis|sommes ~ incapable|impossible",
    "je|nous refuse|refusons|dois|devons ~ refuser|décliner",
    "je|nous refuse|refusons de",
    "m impossible ~ $aider",
    // Spanish.
    "no puedo|podemos|podría|podré ~ $ayudar",
    "no me es posible ~ $ayudar",
    "no estoy|estamos ~ capacitado|autorizado|programado|capacidad|condiciones",
    "no soy capaz de ~ $ayudar",
    "debo|tengo|prefiero ~ rechazar|negarme|declinar",
    // Portuguese.
    "não posso|podemos|poderei|poderia|consigo ~ $ajudar",
    "não me é possível ~ $ajudar",
    "não sou capaz de ~ $ajudar",
    "não estou|estamos ~ autorizado|programado|apto|condições",
    "devo|preciso|tenho ~ recusar",
    // Italian.
    "non posso|possiamo|potrei|riesco ~ $aiutare",
    "non sono|siamo in grado di ~ $aiutare",
    "non mi è possibile ~ $aiutare",
    "devo|preferisco rifiutare|declinare",
    "mi rifiuto di",
    // Dutch.
    "ik|we|wij kan|kunnen|mag|mogen|zal ~ niet|geen|helaas ~ $helpen",
    "kan|mag|zal ik|we ~ niet|geen|helaas ~ $helpen",
    "ik ben|bij niet in staat",
    "ik moet ~ weigeren|afwijzen",
    // Swedish, Danish and Norwegian.
    "jag|vi kan ~ inte|tyvärr ~ hjälpa|ge|tillhandahålla|bistå|skapa|skriva|svara|assistera",
    "kan jag ~ inte|tyvärr ~ hjälpa|ge|tillhandahålla|bistå|skapa|skriva|svara|assistera",
    "jeg|vi kan ~ ikke|desværre|dessverre ~ hjælpe|hjelpe|give|gi|bistå|assistere|svare|skrive|lave|lage",
    "kan jeg ~ ikke|desværre|dessverre ~ hjælpe|hjelpe|give|gi|bistå|assistere|svare|skrive|lave|lage",
    // Polish and Czech.
    "nie mogę|możemy|mogłabym|mógłbym|jestem ~ pomóc|pomagać|udzielić|dostarczyć|podać|napisać|stworzyć|spełnić|odpowiedzieć|zapewnić",
    "nie jestem w stanie",
    "muszę odmówić",
    "nemohu|nemůžu|nemůžeme ~ pomoci|pomoct|poskytnout|odpovědět|napsat|vytvořit|splnit|vyhovět",
    // Turkish.
    "yardımcı|yardım olamam|olamıyorum|olamayacağım|edemem|edemiyorum|edemeyeceğim",
    // Russian and Ukrainian.
    "я|мы не могу|можем|смогу|сможем|буду ~ $помочь",
    "не могу|можем|смогу|сможем ~ $помочь",
    "я|мы ~ вынужден|вынуждена|вынуждены ~ отказать*",
    "я не|ми можу|можемо|зможу ~ допомогти|надати|відповісти|виконати|створити|написати",
    "не можу|можемо|зможу ~ допомогти|надати|відповісти|виконати|створити|написати",
];

/// What is declined, by the name that stands in [`DECLINES`].
pub(super) const VERBS: &[(&str, &str)] = &[
    (
        "$help",
        "assist*|help*|provide|providing|give|offer|share|support|create|write|generate|produce|\
         discuss|answer|fulfill|fulfil|comply|engage|participate|recommend|advise|encourage|condone|\
         promote|facilitate|endorse|complete|respond|accommodate|grant|satisfy|continue|proceed",
    ),
    (
        "$helfen",
        "helfen|weiterhelfen|behilflich|unterstützen|beantworten|bereitstellen|geben|liefern|\
         anbieten|erstellen|schreiben|verfassen|erfüllen|nachkommen|entsprechen|teilnehmen|\
         assistieren|weitergeben|dienen",
    ),
    (
        "$aider",
        "aider|assister|fournir|donner|répondre|satisfaire|accéder|créer|écrire|rédiger|générer|\
         participer|offrir|partager|accompagner|poursuivre|proposer",
    ),
    (
        "$ayudar",
        "ayudar*|asistir*|proporcionar*|dar|darte|darle|ofrecer*|responder*|cumplir|crear|escribir|\
         generar|participar|compartir|brindar*|facilitar*|apoyar*|complacer*|atender",
    ),
    (
        "$ajudar",
        "ajudar*|ajudá*|auxiliar*|fornecer*|dar|oferecer*|responder*|atender|criar|escrever|gerar|\
         participar|compartilhar|prestar|apoiar|cumprir|ajudo|fornecê*",
    ),
    (
        "$aiutare",
        "aiutar*|assister*|fornir*|dare|darti|offrir*|risponder*|soddisfare|creare|scrivere|\
         generare|partecipare|condividere|supportar*|esaudire|procedere",
    ),
    (
        "$helpen",
        "helpen|geven|verstrekken|bieden|beantwoorden|maken|schrijven|voldoen|meewerken|\
         ondersteunen|assisteren|leveren|delen",
    ),
    (
        "$помочь",
        "помочь|помогать|предоставить|предоставлять|ответить|отвечать|дать|давать|выполнить|\
         создать|написать|поделиться|участвовать|содействовать|предложить",
    ),
];

/// Words after which the phrases above are a figure of speech.
pub(super) const FIGURES: &[&str] = &[
    "help but",
    "help thinking|feeling|noticing|wondering|myself",
    "recommend ~ enough|highly",
    "cannot|not recommend ~ more",
    "give ~ enough",
    "provide|give ~ without",
];

/// Refusals in scripts without spaces: substrings.
pub(super) const UNSPACED: &[&str] = &[
    // Chinese, simplified and traditional.
    "我无法",
    "我無法",
    "我不能",
    "我们无法",
    "無法提供",
    "无法提供",
    "不能提供",
    "无法协助",
    "無法協助",
    "不能协助",
    "不能協助",
    "无法帮助",
    "無法幫助",
    "不能帮助",
    "不能幫助",
    "不便提供",
    "无法回答",
    "無法回答",
    "不能回答",
    "无法满足",
    "無法滿足",
    "拒绝回答",
    "拒絕回答",
    "我拒绝",
    "我拒絕",
    "无法为您",
    "無法為您",
    "无法为你",
    "無法為你",
    "恕难",
    "恕難",
    // Japanese.
    "お手伝いできません",
    "お手伝いすることはできません",
    "お手伝いはできません",
    "お答えできません",
    "お答えすることはできません",
    "回答できません",
    "提供できません",
    "提供することはできません",
    "提供はできません",
    "ご提供できません",
    "対応できません",
    "お応えできません",
    "応じることはできません",
    "応じられません",
    "お断り",
    "できかねます",
    "いたしかねます",
    "お教えできません",
    "お力になれません",
    "支援できません",
    "支援することはできません",
    "作成することはできません",
    "作成できません",
    // Korean.
    "도와드릴 수 없",
    "도와 드릴 수 없",
    "도움을 드릴 수 없",
    "도움을 줄 수 없",
    "도울 수 없",
    "제공할 수 없",
    "제공해 드릴 수 없",
    "제공해드릴 수 없",
    "답변할 수 없",
    "답변드릴 수 없",
    "답변해 드릴 수 없",
    "응할 수 없",
    "들어드릴 수 없",
    "거절",
    "수행할 수 없",
    // Thai, Arabic, Hindi: the verb carries what other languages say in several words.
    "ไม่สามารถช่วย",
    "ไม่สามารถให้",
    "لا أستطيع",
    "لا يمكنني",
    "لا استطيع",
    "لا أقدر",
    "لا نستطيع",
    "मदद नहीं कर सक",
    "सहायता नहीं कर सक",
    "नहीं दे सक",
    "प्रदान नहीं कर सक",
];

/// Openings of a model that speaks of what it is instead of answering.
pub(super) const DISCLAIMERS: &[&str] = &[
    "as|being an|a ai|artificial|language|large ~ i ~ not|cannot",
    "i do not have|hold ~ opinions|beliefs|feelings|preferences|access",
    "als ki|sprachmodell|künstliche ~ ich ~ keine|nicht",
    "en tant qu|que ia|intelligence|modèle ~ je ~ pas",
    "como ia|una|uma|modelo|inteligencia|inteligência ~ no|não ~ tengo|tenho|puedo|posso",
];

/// Openings that judge a request instead of following it.
pub(super) const JUDGEMENTS: &[&str] = &[
    "it is|was not|never ~ $fitting",
    "is|are|was|were not|never ~ $fitting",
    "is|are|was never the answer|solution",
    "not a|an ~ healthy|productive|appropriate|acceptable|effective|ethical|constructive|good ~ way|thing|solution|idea",
    "there is no ~ reason|justification|excuse",
    "i strongly|respectfully|completely disagree",
    "i disagree",
    "i do not believe in|that",
    "i do not support|condone|endorse|agree|encourage",
    "i must clarify|emphasize|stress",
    "no one should",
    "everyone|everybody|nobody ~ regardless|should|deserves",
    "should not be ~ discriminated|judged|denied|excluded|mistreated",
    "it is|was ~ wrong|unethical|illegal|immoral|harmful|unacceptable ~ to",
    "is|are ~ wrong|unethical|immoral|unacceptable",
];

/// What a judgement finds missing.
pub(super) const FITTING: (&str, &str) = (
    "$fitting",
    "appropriate|acceptable|ethical|accurate|fair|okay|ok|right|justified|justifiable|moral|morally|\
     ethically|inherently|legal|respectful|helpful",
);

/// Without one of these a judgement is about taste, facts or technique.
pub(super) const MORALS: &[&str] = &[
    "discriminat*",
    "harm",
    "harmful",
    "harming",
    "hurt*",
    "violen*",
    "illegal*",
    "unethical*",
    "ethic*",
    "immoral*",
    "moral*",
    "hate*",
    "hateful",
    "racis*",
    "racial*",
    "racially",
    "sexis*",
    "stereotyp*",
    "generaliz*",
    "generalis*",
    "prejudic*",
    "bigot*",
    "equal*",
    "rights",
    "dignity",
    "respect",
    "respectful",
    "respectfully",
    "fairness",
    "fairly",
    "inclusiv*",
    "inclusion",
    "diversity",
    "gender",
    "ethnic*",
    "religio*",
    "orientation",
    "regardless",
    "consent",
    "privacy",
    "atrocit*",
    "genocide",
    "tragic",
    "tragedy",
    "suffering",
    "abuse",
    "abusive",
    "crime*",
    "criminal*",
    "terroris*",
    "murder*",
    "oppress*",
    "exploit*",
    "compassion*",
];

/// Turns from refusing to giving something after all.
pub(super) const TURNS: &[&str] = &[
    "however|instead|but|nevertheless|nonetheless i can|could|will|would|am",
    "however here|you|if|in|some|many|it",
    "that being said",
    "that said",
    "here is|are",
    "i can ~ tell|offer|provide|give|share|suggest|explain",
    "aber ich|hier",
    "jedoch|stattdessen ~ ich|kann|hier",
    "cependant|toutefois|mais ~ je|voici|vous",
    "sin embargo|pero ~ puedo|aquí",
    "no entanto|mas ~ posso|aqui",
    "tuttavia|però ~ posso|ecco",
];

/// Sentences before which nothing has been said yet.
pub(super) const PLEASANTRIES: &[&str] = &[
    "i am ~ sorry|afraid",
    "sorry",
    "i apologize|apologise",
    "apologies",
    "my apologies",
    "unfortunately",
    "i understand",
    "i appreciate",
    "i see",
    "i hear",
    "thank",
    "thanks",
    "hello",
    "hi",
    "hey",
    "great question",
    "good question",
    "i know",
    "oh",
    "no",
    "es tut mir",
    "tut mir",
    "leider",
    "entschuldigung",
    "danke",
    "je suis désolé*",
    "désolé*",
    "merci",
    "malheureusement",
    "lo siento",
    "gracias",
    "lamento",
    "lamentablemente",
    "desculpe",
    "sinto muito",
    "lamento",
    "infelizmente",
    "obrigado",
    "mi dispiace",
    "purtroppo",
    "grazie",
    "het spijt",
    "helaas",
    "sorry",
    "извините",
    "простите",
    "к сожалению",
    "przepraszam",
    "przykro",
    "niestety",
    "üzgünüm",
];
