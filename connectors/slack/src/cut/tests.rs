use proptest::prelude::*;

use super::*;

const MINUTE: u64 = 60_000_000;

const RULES: Rules = Rules {
    pause_microseconds: 30 * MINUTE,
    max_messages: 5,
    max_bytes: 1000,
};

fn line(minute: u64) -> Line {
    Line {
        at: Moment(minute * MINUTE),
        answers: None,
        replies: 0,
        bytes: 10,
    }
}

fn reply(minute: u64, to: u64) -> Line {
    Line {
        answers: Some(Moment(to * MINUTE)),
        ..line(minute)
    }
}

/// `minute` or `minute*` for a thread: the minutes of its messages; with `!` where it is withheld.
fn shown(lines: &[Line], holes: &[Hole]) -> Vec<String> {
    cut(lines, RULES, holes, &BTreeMap::new())
        .iter()
        .map(|piece| {
            let minutes: Vec<String> = piece
                .lines
                .iter()
                .map(|line| (lines[*line].at.0 / MINUTE).to_string())
                .collect();
            format!(
                "{}{}{}: {}",
                piece.key.0 / MINUTE,
                if piece.is_thread { "*" } else { "" },
                if piece.is_withheld { "!" } else { "" },
                minutes.join(" ")
            )
        })
        .collect()
}

#[test]
fn a_pause_ends_an_exchange_and_so_does_its_length() {
    let lines: Vec<Line> = [100, 110, 140, 171, 172].into_iter().map(line).collect();
    assert_eq!(shown(&lines, &[]), ["100: 100 110 140", "171: 171 172"]);
    let long: Vec<Line> = (0..12).map(line).collect();
    assert_eq!(shown(&long, &[]), ["0: 0 1 2 3 4", "5: 5 6 7 8 9", "10: 10 11"]);
    let mut large = vec![line(1), line(2), line(3)];
    large[1].bytes = 995;
    assert_eq!(shown(&large, &[]), ["1: 1", "2: 2", "3: 3"]);
}

#[test]
fn a_late_reply_belongs_to_its_thread_and_moves_nothing_else() {
    let mut lines = vec![line(100), line(120), line(145)];
    assert_eq!(shown(&lines, &[]), ["100: 100 120 145"]);
    lines.push(reply(100_000, 120));
    // The message in the middle bridges what would be a pause without it.
    assert_eq!(shown(&lines, &[]), ["100: 100 145", "120*: 120 100000"]);
    lines[0].replies = 1;
    assert_eq!(shown(&lines, &[]), ["100*: 100", "120*: 120 100000", "145: 145"]);
    // A thread whose beginning isn't in the export.
    assert_eq!(shown(&[reply(9, 1)], &[]), ["1*: 9"]);
}

#[test]
fn what_lies_beside_a_hole_is_withheld() {
    let hole = Hole {
        start: Moment(200 * MINUTE),
        end: Moment(300 * MINUTE),
    };
    let mut lines = vec![line(100), line(169), line(180), line(320), line(331), line(400)];
    assert_eq!(
        shown(&lines, &[hole]),
        ["100: 100", "169!: 169 180", "320!: 320 331", "400: 400"]
    );
    lines[0].replies = 2;
    lines.push(reply(401, 100));
    lines.push(reply(402, 1));
    assert_eq!(shown(&lines, &[hole])[..2], ["1*!: 402", "100*!: 100 401"]);
    lines.push(reply(403, 100));
    assert_eq!(shown(&lines, &[hole])[1], "100*: 100 401 403");
    lines[0].replies = 0;
    assert_eq!(shown(&lines, &[hole])[1], "100*!: 100 401 403", "nobody counted");
    lines[5].replies = 9;
    assert_eq!(
        shown(&lines, &[hole]).last().unwrap(),
        "400*: 400",
        "began after it"
    );
    assert!(shown(&lines, &[]).iter().all(|piece| !piece.contains('!')));
}

proptest! {
    /// Every message is in exactly one document, and what comes at the end changes no other.
    #[test]
    fn nothing_is_lost_or_moved(gaps in prop::collection::vec((1_u64..50, 0_usize..8), 1..120)) {
        let mut lines: Vec<Line> = Vec::new();
        let mut minute = 0;
        for (gap, kind) in gaps {
            minute += gap;
            let earlier = lines.iter().rev().find(|line| line.answers.is_none()).map(|line| line.at.0 / MINUTE);
            lines.push(match earlier {
                Some(root) if kind == 0 => reply(minute, root),
                _ => line(minute),
            });
        }
        let whole = cut(&lines, RULES, &[], &BTreeMap::new());
        let mut seen: Vec<usize> = whole.iter().flat_map(|piece| piece.lines.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..lines.len()).collect::<Vec<_>>());
        prop_assert!(whole.windows(2).all(|two| two[0].key < two[1].key));

        let (last, before) = lines.split_last().unwrap();
        let shorter = cut(before, RULES, &[], &BTreeMap::new());
        let changed = shorter.iter().filter(|piece| !whole.contains(piece)).count();
        prop_assert!(changed <= 1 + usize::from(last.answers.is_some()), "{} documents changed", changed);
    }
}
