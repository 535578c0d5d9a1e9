use super::*;

/// Sentences of an assistant's answers, written for this test.
const SENTENCES: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "You can change the address in your account settings until the parcel has left.",
            "The invoice will be sent to you by email at the end of the month.",
            "Sure, here is a short summary of the meeting and what was decided.",
        ],
    ),
    (
        "de",
        &[
            "Sie können die Adresse ändern, solange das Paket noch nicht unterwegs ist.",
            "Die Rechnung wird Ihnen am Ende des Monats per E-Mail geschickt.",
            "Hier ist eine kurze Zusammenfassung der Sitzung und der Beschlüsse.",
        ],
    ),
    (
        "fr",
        &[
            "Vous pouvez modifier l'adresse dans les paramètres de votre compte.",
            "La facture vous sera envoyée par courriel à la fin du mois.",
            "Voici un court résumé de la réunion et de ce qui a été décidé.",
        ],
    ),
    (
        "es",
        &[
            "Puede cambiar la dirección en la configuración de su cuenta.",
            "La factura se le enviará por correo electrónico al final del mes.",
            "Aquí tiene un breve resumen de la reunión y de lo que se decidió.",
        ],
    ),
    (
        "pt",
        &[
            "Você pode alterar o endereço nas configurações da sua conta.",
            "A fatura será enviada por e-mail no final do mês.",
            "Aqui está um breve resumo da reunião e do que foi decidido.",
        ],
    ),
    (
        "it",
        &[
            "Può modificare l'indirizzo nelle impostazioni del suo account.",
            "La fattura le sarà inviata per e-mail alla fine del mese.",
            "Ecco un breve riassunto della riunione e di ciò che è stato deciso.",
        ],
    ),
    (
        "nl",
        &[
            "U kunt het adres wijzigen in de instellingen van uw account.",
            "De factuur wordt aan het einde van de maand naar u gestuurd.",
            "Hier is een korte samenvatting van de vergadering en wat er is besloten.",
        ],
    ),
    (
        "sv",
        &[
            "Du kan ändra adressen i inställningarna för ditt konto.",
            "Fakturan skickas till dig via e-post i slutet av månaden.",
            "Här är en kort sammanfattning av mötet och vad som beslutades.",
        ],
    ),
    (
        "da",
        &[
            "Du kan ændre adressen i indstillingerne for din konto, hvis det er nødvendigt.",
            "Fakturaen bliver sendt til dig på e-mail efter månedens udgang.",
            "Her er et kort resumé af mødet og af, hvad der blev besluttet.",
        ],
    ),
    (
        "no",
        &[
            "Du kan endre adressen i innstillingene for kontoen din hvis det er nødvendig.",
            "Fakturaen blir sendt til deg på e-post etter månedens slutt.",
            "Her er et kort sammendrag av møtet og av hva som ble bestemt.",
        ],
    ),
    (
        "fi",
        &[
            "Voit muuttaa osoitetta tilisi asetuksissa, jos se on tarpeen.",
            "Lasku lähetetään sinulle sähköpostitse, kun kuukausi on päättynyt.",
            "Tässä on lyhyt yhteenveto kokouksesta ja siitä, mitä päätettiin.",
        ],
    ),
    (
        "pl",
        &[
            "Możesz zmienić adres w ustawieniach konta, jeśli to konieczne.",
            "Faktura zostanie wysłana do Ciebie pocztą elektroniczną na koniec miesiąca.",
            "Oto krótkie podsumowanie spotkania i tego, co zostało ustalone.",
        ],
    ),
    (
        "cs",
        &[
            "Adresu můžete změnit v nastavení svého účtu, pokud je to nutné.",
            "Faktura vám bude zaslána e-mailem na konci měsíce, jak je obvyklé.",
            "Zde je stručné shrnutí schůzky a toho, co bylo rozhodnuto při hlasování.",
        ],
    ),
    (
        "hu",
        &[
            "A címet a fiók beállításaiban lehet megváltoztatni, ha szükséges.",
            "A számlát a hónap végén küldjük el önnek e-mailben.",
            "Íme egy rövid összefoglaló az ülésről és arról, hogy mit döntöttek el.",
        ],
    ),
    (
        "ro",
        &[
            "Puteți schimba adresa în setările contului dumneavoastră.",
            "Factura va fi trimisă prin e-mail la sfârșitul lunii.",
            "Iată un scurt rezumat al ședinței și a ceea ce s-a decis.",
        ],
    ),
    (
        "tr",
        &[
            "Adresi hesap ayarlarınızdan değiştirebilirsiniz ve bu çok kolaydır.",
            "Fatura ay sonunda size e-posta ile gönderilecektir.",
            "İşte toplantının kısa bir özeti ve alınan kararlar için bir liste.",
        ],
    ),
    (
        "id",
        &[
            "Anda dapat mengubah alamat di pengaturan akun sebelum paket dikirim.",
            "Faktur akan dikirim kepada Anda melalui email pada akhir bulan.",
            "Berikut adalah ringkasan singkat rapat dan apa yang telah diputuskan.",
        ],
    ),
    (
        "vi",
        &[
            "Bạn có thể thay đổi địa chỉ trong phần cài đặt tài khoản.",
            "Hóa đơn sẽ được gửi cho bạn qua email vào cuối tháng.",
            "Đây là bản tóm tắt ngắn về cuộc họp và những gì đã được quyết định.",
        ],
    ),
    (
        "ru",
        &[
            "Вы можете изменить адрес в настройках учётной записи.",
            "Счёт будет отправлен вам по электронной почте в конце месяца.",
            "Вот краткое изложение встречи и того, что было решено.",
        ],
    ),
    (
        "uk",
        &[
            "Ви можете змінити адресу в налаштуваннях облікового запису.",
            "Рахунок буде надіслано вам електронною поштою наприкінці місяця.",
            "Ось короткий підсумок зустрічі та того, що було вирішено.",
        ],
    ),
    (
        "bg",
        &[
            "Можете да промените адреса в настройките на профила си.",
            "Фактурата ще ви бъде изпратена по имейл в края на месеца.",
            "Ето кратко резюме на срещата и на това, което беше решено.",
        ],
    ),
    ("zh", &["您可以在账户设置中更改地址。", "發票將在月底通過電子郵件發送給您。", "好的。"]),
    (
        "ja",
        &["アカウント設定で住所を変更できます。", "請求書は月末にメールで送付されます。", "はい。"],
    ),
    (
        "ko",
        &[
            "계정 설정에서 주소를 변경할 수 있습니다.",
            "청구서는 월말에 이메일로 발송됩니다.",
            "네.",
        ],
    ),
    (
        "ar",
        &[
            "يمكنك تغيير العنوان من إعدادات الحساب.",
            "سيتم إرسال الفاتورة إليك في نهاية الشهر.",
            "هذا ملخص قصير للاجتماع.",
        ],
    ),
    (
        "fa",
        &[
            "شما می‌توانید نشانی را در تنظیمات حساب تغییر دهید.",
            "صورت‌حساب در پایان ماه برای شما فرستاده می‌شود.",
            "این خلاصه‌ای کوتاه از جلسه است.",
        ],
    ),
    (
        "hi",
        &["आप खाता सेटिंग में पता बदल सकते हैं।", "चालान महीने के अंत में भेजा जाएगा।", "यह बैठक का सारांश है।"],
    ),
    (
        "el",
        &["Μπορείτε να αλλάξετε τη διεύθυνση στις ρυθμίσεις.", "Ναι.", "Το τιμολόγιο θα σταλεί."],
    ),
    ("he", &["ניתן לשנות את הכתובת בהגדרות החשבון.", "כן.", "החשבונית תישלח בסוף החודש."]),
    ("th", &["คุณสามารถเปลี่ยนที่อยู่ได้ในการตั้งค่าบัญชี", "ได้", "ใบแจ้งหนี้จะส่งสิ้นเดือน"]),
];

#[test]
fn sentences_are_told_apart_or_nothing_is_said() {
    let (mut total, mut right) = (0, 0);
    for (wanted, sentences) in SENTENCES {
        for sentence in *sentences {
            let told = language(sentence);
            assert!(told.is_none_or(|told| told == *wanted), "{sentence} taken for {told:?}");
            total += 1;
            right += usize::from(told.is_some());
        }
    }
    // Two sentences of Danish and Norwegian use words that both languages have.
    assert_eq!((right, total), (88, 90));
}

#[test]
fn nothing_is_said_of_what_is_no_prose() {
    for text in ["", "42", "{\"id\": 7}", "a1 b2", "Ok", "```\nfor the and of in is to\n```"] {
        assert_eq!(language(text), None, "{text}");
    }
}

#[test]
fn names_and_code_do_not_change_the_language() {
    let text = "設定ファイルに `max_tokens = 100` と OpenAI Python SDK を追加してください。";
    assert_eq!(language(text), Some("ja"));
    let text = "Führen Sie diesen Befehl aus:\n```bash\nfind the file in this folder\n```\nDanach ist \
                die Datei nicht mehr da.";
    assert_eq!(language(text), Some("de"));
}

#[test]
fn a_mixed_text_goes_by_most_of_it() {
    let text = "The word Übermut is German and it is hard to translate; in this text it stands for \
                what you do when you are too sure of yourself. 日本語";
    assert_eq!(language(text), Some("en"));
}
