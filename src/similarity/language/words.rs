//! Frequent short words of languages in Latin, Cyrillic and Arabic script.

/// Languages with their words; letters beyond a to z count too.
pub(super) const LATIN: &[(&str, &str, &str)] = &[
    (
        "en",
        "the and of to is in that it for you are with this be on not have as can or your from an \
            will what which they at we if but by was has their there when how i my do would should \
            these more about all its been were so than into",
        "",
    ),
    (
        "de",
        "der die und das ist nicht zu den mit sie ein eine es auf für von im dem auch wir ich wie \
            werden oder kann einen als sind bei nach wenn zum zur aber sich aus hat wird noch über \
            einer eines durch nur haben diese dieser ihre sein man",
        "ßäöü",
    ),
    (
        "fr",
        "le la les et des est une un du que pour dans vous qui en au avec sur ce pas il ne sont \
            plus par je ou cette votre nous mais aux peut être leur comme si ces sa son elle tout \
            ont été fait très dont",
        "œéèêàâçùûîïôë",
    ),
    (
        "es",
        "el la los las de que y en un una es para con por del se no lo su al como más o pero sus le \
            ya este sí porque esta entre cuando muy sin sobre también me hasta hay donde puede ser \
            está tiene desde usted",
        "ñ¿¡áéíóú",
    ),
    (
        "pt",
        "o a os as de que e em um uma é para com por do da não se no na mais como mas ao dos das \
            seu sua ou quando muito nos já eu também só pelo pela até isso ela entre depois sem você \
            são está pode tem",
        "ãõáéíóúâêôç",
    ),
    (
        "it",
        "il lo la i gli le di che e è un una in per con non si del della dei delle al alla da sono \
            come più ma anche nel nella questo questa se o ha su può essere tra perché mi ti dal ai \
            quando molto suo sua cosa",
        "àèéìòù",
    ),
    (
        "nl",
        "de het een en van is in dat op te zijn met voor niet die aan er om ook als maar bij kan je \
            u wordt naar door of uit dit worden hebben meer over deze nog wat we ze heeft hun dan \
            geen kunnen uw",
        "ëï",
    ),
    (
        "sv",
        "och att det i som en på är av för med den till inte har de ett om men kan du från så vi \
            eller var jag sig ska när också din dig detta vara mer många hur sina efter alla",
        "åäö",
    ),
    (
        "da",
        "og at det i en er på til som for med af den ikke der de et har kan du om men vi fra jeg var \
            eller skal også når din dig dette være meget hvordan efter alle hvad blive hvis mig",
        "æøå",
    ),
    (
        "no",
        "og at det i en er på til som for med av den ikke de et har kan du om men vi fra jeg var \
            eller skal også når din deg dette være mye hvordan etter alle hva bli hvis meg noen",
        "æøå",
    ),
    (
        "fi",
        "ja on ei se että hän oli joka mutta ovat kun tai niin myös voi ole sen jos kuin sitä mitä \
            tämä kanssa minä olen sinun voit tämän ne hyvin vain sekä jotka mukaan",
        "äö",
    ),
    (
        "pl",
        "i w nie na się z do jest to że o jak ale po co za dla przez od czy tak są tego być lub \
            może które który jego także przy bez oraz można ten ta tym pod aby ich",
        "łżśźąęóćń",
    ),
    (
        "cs",
        "a je se na v to že s z do i o by jsem ale jako za pro co nebo který které jsou tak by při \
            po může být také jen když podle více ve si od až jeho této než",
        "řěůáíýčšžéúťďň",
    ),
    (
        "sk",
        "a je sa na v to že s z do aj o by som ale ako za pre čo alebo ktorý ktoré sú tak pri po \
            môže byť tiež len keď podľa viac vo si od až jeho tejto než",
        "ľĺŕôáíýčšžéúťďňä",
    ),
    (
        "hu",
        "a az és hogy nem is egy ez van meg de ha csak mint azt el már volt vagy ki még lehet kell \
            amely ezt nagyon után pedig szerint minden között ön több lesz ami",
        "őűáéíóöúü",
    ),
    (
        "ro",
        "și de la în a că cu pe nu este o un din mai pentru care sau se să ce sunt fi dar prin ca \
            această acest fost poate după foarte între dacă au lui fără când",
        "șțăâî",
    ),
    (
        "hr",
        "i u je na se da za su s od ne o a kao koji koja koje što ili ali to će biti iz do po kako \
            može samo više još jer kada ako bi sve nije ovaj ova",
        "đčćšž",
    ),
    (
        "tr",
        "ve bir bu da de için ile çok daha olarak olan ne gibi var kadar en sonra ya mi ama değil \
            şey her ben sen o veya olduğu bunu nasıl ise olabilir tarafından göre",
        "ğışçöü",
    ),
    (
        "id",
        "dan yang di untuk dengan ini adalah dari pada tidak dalam akan itu ke atau anda dapat bisa \
            oleh juga sebagai saya mereka lebih karena ada telah kami seperti bahwa tersebut",
        "",
    ),
    (
        "vi",
        "và là của có không cho một được trong với những các để người này đã từ khi như tôi bạn \
            về ra nhiều cũng hay hoặc rất thể nếu làm lại thì nhưng vì",
        "đươạảấầẩậắằặẹẻẽếềểễệịỉĩọỏốồổộớờởợụủũứừửữự",
    ),
    (
        "ca",
        "el la els les de que i en un una és per amb del no al com més o però seva pot ser són \
            també aquest aquesta quan molt si hi ha està dels han als",
        "çàèéíòóúï",
    ),
];

pub(super) const CYRILLIC: &[(&str, &str, &str)] = &[
    (
        "ru",
        "и в не на что с по это как для но из у к за то от о так же или вы все может быть если \
            он они мы вас было есть чтобы также только ваш который",
        "ыэё",
    ),
    (
        "uk",
        "і в не на що з та це як для але у до за від про так або ви може бути якщо він вони ми вас \
            є щоб також тільки ваш який й",
        "іїєґ",
    ),
    (
        "bg",
        "и в не на че с по това как за но от у към то или вие всички може да бъде ако той те ние са \
            също само е който се ще",
        "",
    ),
    (
        "sr",
        "и у не на да с по то као за али од или ви све може бити ако он они ми је такође само који \
            се ће су",
        "јљњћђџ",
    ),
];

pub(super) const ARABIC: &[(&str, &str, &str)] = &[
    (
        "ar",
        "في من على إلى أن هذا التي عن مع لا ما هو أو كان هذه الذي هي ذلك كل بعد قد لم يمكن",
        "ةىإأ",
    ),
    (
        "fa",
        "و در به از که این را با است برای آن یک می شما تا های بر هم خود یا اگر باید کنید",
        "پچژگکی",
    ),
    ("ur", "اور کے میں کی ہے سے کا کو یہ نے پر کہ ہیں ہو اس آپ بھی لئے ایک نہیں تھا", "ٹڈڑےں"),
];
