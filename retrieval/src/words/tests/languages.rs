//! Languages: inflected forms are found, in a knowledge base of one language and of all.

use super::*;

/// A language, a text in it, and questions that find it: other forms of its words.
const TEXTS: [(&str, &str, &[&str]); 10] = [
    (
        "en",
        "Employees are entitled to twenty weeks of paid leave.",
        &["employee entitlement", "a week"],
    ),
    (
        "de",
        "Die Mitarbeiterinnen müssen ihre Anträge rechtzeitig einreichen.",
        &["Mitarbeiterin", "der Antrag", "den Anträgen", "antrage"],
    ),
    (
        "fr",
        "Les employés doivent envoyer leurs demandes par écrit.",
        &["un employé", "la demande", "demander", "ecrit"],
    ),
    (
        "es",
        "Los empleados solicitan sus vacaciones en el portal de la empresa.",
        &["el empleado", "solicitar", "empresas"],
    ),
    (
        "ru",
        "Сотрудники подают заявления на отпуск через портал, see the manuals.",
        &["сотрудник", "заявление", "отпуска", "manual"],
    ),
    (
        "ar",
        "يقدم الموظفون طلبات الإجازة عبر البوابة",
        &["الموظفين", "إجازة"],
    ),
    ("zh", "员工必须通过门户网站提交休假申请。", &["休假申请", "员工"]),
    (
        "ja",
        "従業員はポータルで休暇を申請します。",
        &["休暇の申請", "従業員"],
    ),
    (
        "ko",
        "직원은 포털을 통해 휴가를 신청해야 합니다.",
        &["휴가", "직원"],
    ),
    ("th", "พนักงานต้องส่งคำขอลาผ่านเว็บไซต์", &["พนักงาน", "เว็บไซต์"]),
];

fn of_language(base: KnowledgeBaseId, (code, text, _): &(&str, &str, &[&str])) -> IndexEntry {
    entry(
        base,
        (code, 0),
        ("", text),
        of_everyone(&format!(r#"{{"language":"{code}"}}"#)),
    )
}

#[tokio::test]
async fn other_forms_of_a_word_are_found_in_its_language() {
    for text in &TEXTS {
        let written = written(|base| vec![of_language(base, text)]).await;
        for question in text.2 {
            let found = written
                .found(&WordQuery::plain(*question), None, &reader(&[]))
                .await;
            assert_eq!(found.len(), 1, "{}: {question}", text.0);
        }
    }
}

#[tokio::test]
async fn a_question_finds_documents_of_each_language() {
    let written = written(|base| TEXTS.iter().map(|text| of_language(base, text)).collect()).await;
    for (text, entry) in TEXTS.iter().zip(&written.entries) {
        for question in text.2 {
            let found = written
                .found(&WordQuery::plain(*question), None, &reader(&[]))
                .await;
            assert_eq!(found.first(), Some(&entry.chunk.id), "{}: {question}", text.0);
            let demanded = crate::query_language::read(&format!("\"{question}\""), |_| false).words;
            let found = written.found(&demanded, None, &reader(&[])).await;
            let admitted = crate::words::admits(&demanded, &in_ledger(entry));
            assert_eq!(
                found.contains(&entry.chunk.id),
                admitted,
                "{}: {question}",
                text.0
            );
        }
    }
}

#[tokio::test]
async fn a_document_that_turns_out_to_be_german_is_stemmed_so() {
    let written = written(|base| vec![entry(base, ("1", 0), ("", TEXTS[1].1), of_everyone("{}"))]).await;
    let query = WordQuery::plain("Mitarbeiterin");
    assert!(written.found(&query, None, &reader(&[])).await.is_empty());
    let chunk = written.entries[0].chunk.id;
    let german = of_everyone(r#"{"language":"de"}"#);
    written
        .index
        .set_metadata(written.base, &[chunk], &german)
        .await
        .unwrap();
    written.index.commit(written.base).await.unwrap();
    assert_eq!(written.found(&query, None, &reader(&[])).await, [chunk]);
}
