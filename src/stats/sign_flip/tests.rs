//! What the joint flips promise.

use super::*;

fn cell(changes: &[i64], weight: f64) -> Cell {
    let changes = changes.iter().enumerate().filter(|(_, c)| **c != 0).map(|(b, &c)| (b as u32, c)).collect();
    Cell { changes: Changes::Sum(changes), weight, decisive: true }
}

#[test]
fn one_binary_cell_is_the_exact_sign_test() {
    let changes: Vec<i64> = [vec![-1; 9], vec![1; 2], vec![0; 30]].concat();
    let result = test_family(&[cell(&changes, 1.0)], Draws::new(1, 0.05));
    // P(Binomial(11, 1/2) <= 2) = (1 + 11 + 55) / 2048
    assert!((result.cells[0].p.unwrap() - 67.0 / 2048.0).abs() < 1e-12);
    assert_eq!(result.draws, 0);
}

#[test]
fn simulation_agrees_with_the_exact_distribution() {
    let changes: Vec<i64> = [vec![-3; 4], vec![-1; 9], vec![2; 5], vec![1; 4]].concat();
    let Changes::Sum(moved) = cell(&changes, 1.0).changes else { panic!() };
    let exact = exact_lower_tail(&moved).unwrap();
    // Two copies of one cell: simulation, and no price for the duplicate.
    let result = test_family(&[cell(&changes, 0.4), cell(&changes, 0.4)], Draws::new(3, 0.05));
    let p = result.cells[0].p_adjusted.unwrap();
    let error = (exact * (1.0 - exact) / f64::from(result.draws)).sqrt();
    assert!((p - exact).abs() < 5.0 * error, "{p} against {exact}");
    assert_eq!(result.cells[0].p_adjusted, result.cells[1].p_adjusted);
}

#[test]
fn masks_and_bundles_give_the_same_sums() {
    let terms: Vec<(u32, i64)> = (0..200).map(|i| (i, if i % 3 == 0 { -2 } else { 1 })).collect();
    let bundles: Vec<_> = (0..200).map(|i| i..i + 1).collect();
    let masks = cheapest_sum(terms.clone(), &bundles);
    assert!(matches!(masks, Sum::Masks(_)));
    let mut stream = rng::stream(2, 0);
    let bits: Vec<Lanes<u64>> = (0..4).map(|_| [(); LANES].map(|()| stream.next_u64())).collect();
    let sign = |i: usize, lane: usize| if bits[i / 64][lane] >> (i % 64) & 1 == 1 { 1 } else { -1 };
    let wide_bundles: Vec<Lanes<i64>> = (0..200).map(|i| std::array::from_fn(|lane| sign(i, lane))).collect();
    let bundles = wide_bundles.iter().map(|signs| signs.map(|sign| sign as f64)).collect();
    let expected: Lanes<i64> =
        std::array::from_fn(|lane| terms.iter().map(|&(i, change)| change * sign(i as usize, lane)).sum());
    let drawn = Drawn { bits, bundles, wide_bundles };
    let floats = terms.iter().map(|&(bundle, change)| (bundle, change as f64)).collect();
    for sum in [masks, Sum::Bundles(floats), Sum::WideBundles(terms)] {
        assert_eq!(sum.flipped(&drawn), expected);
    }
}

#[test]
fn sums_that_are_not_exact_as_floats_change_nothing() {
    let family = |unit: i64| -> Vec<Cell> {
        let mut stream = rng::stream(7, 0);
        let mut changes =
            || -> Vec<i64> { (0..90).map(|_| (i64::from(stream.next_u32() % 999) - 520) * unit).collect() };
        vec![cell(&changes(), 0.4), cell(&changes(), 0.3), cell(&changes()[..40], 0.3)]
    };
    let tested = |unit| test_family(&family(unit), Draws { cap: 10_000, ..Draws::new(4, 0.05) });
    let wide = tested(1 << 45);
    assert_eq!(wide, tested(1));
    assert!(wide.cells.iter().all(|cell| cell.p.is_some_and(|p| p > 1e-3 && p < 0.999)), "{wide:?}");
}

#[test]
fn too_few_moved_blocks_are_untestable_and_cost_nothing() {
    let strong: Vec<i64> = vec![-1; 12];
    let weak: Vec<i64> = vec![-1; 4];
    let result = test_family(&[cell(&strong, 0.5), cell(&weak, 0.5)], Draws::new(1, 0.05));
    assert_eq!(result.cells[1].p_adjusted, None);
    assert!((result.cells[0].p.unwrap() - 0.5_f64.powi(12)).abs() < 1e-15);
}

#[test]
fn adjusted_p_is_never_below_p_and_threads_change_nothing() {
    let mut stream = rng::stream(5, 0);
    let cells: Vec<Cell> = (0..12)
        .map(|c| {
            let changes: Vec<i64> = (0..300)
                .map(|_| if stream.next_u64() % 12 <= c { i64::from(stream.next_u32() % 5) - 2 } else { 0 })
                .collect();
            cell(&changes, 1.0)
        })
        .collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| test_family(&cells, Draws::new(11, 0.05)).cells)
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
    for tested in one {
        assert!(tested.p_adjusted.unwrap() >= tested.p.unwrap());
    }
}

/// The sum of changes, one kind a distinct value: what a recomputed change must agree with.
#[derive(Debug)]
struct Plain {
    values: Vec<i64>,
    observed: i64,
}

impl Recompute for Plain {
    fn change(&self, exchanged: &[u32]) -> f64 {
        let back: i64 = self.values.iter().zip(exchanged).map(|(value, &count)| 2 * value * i64::from(count)).sum();
        (self.observed - back) as f64 / 1000.0
    }
}

fn recomputing(changes: &[i64], weight: f64) -> Cell {
    let mut values: Vec<i64> = changes.iter().copied().filter(|change| *change != 0).collect();
    values.sort_unstable();
    values.dedup();
    let kind = |change: &i64| values.iter().position(|value| value == change).map(|kind| kind as u32);
    let blocks = changes.iter().enumerate().filter_map(|(block, change)| Some((block as u32, kind(change)?)));
    let blocks = blocks.collect();
    let by = Arc::new(Plain { values, observed: changes.iter().sum() });
    Cell { changes: Changes::Recomputed { blocks, by }, weight, decisive: true }
}

#[test]
fn a_recomputed_sum_is_tested_like_a_sum() {
    let mut stream = rng::stream(9, 0);
    let changes: Vec<i64> = (0..250).map(|_| i64::from(stream.next_u32() % 6) - 3).collect();
    let other: Vec<i64> = (0..250).map(|_| i64::from(stream.next_u32() % 3) - 1).collect();
    let draws = Draws { cap: 10_000, ..Draws::new(2, 0.05) };
    let sums = test_family(&[cell(&changes, 0.4), cell(&other, 0.6)], draws);
    let mixed = test_family(&[recomputing(&changes, 0.4), cell(&other, 0.6)], draws);
    // The same coins, so the same draws count; only the spread is estimated, which moves the working p a little.
    let p = |result: &FamilyTest, cell: usize| (result.cells[cell].p.unwrap(), result.cells[cell].p_adjusted.unwrap());
    for cell in 0..2 {
        let ((a, a_adjusted), (b, b_adjusted)) = (p(&sums, cell), p(&mixed, cell));
        assert!((a - b).abs() < 0.02 && (a_adjusted - b_adjusted).abs() < 0.03, "{a} {b} {a_adjusted} {b_adjusted}");
    }
    // One of both twice: a copy of a cell costs next to nothing.
    let twice = test_family(&[recomputing(&changes, 0.5), cell(&changes, 0.5)], draws);
    assert_eq!(p(&twice, 0).0, p(&twice, 1).0);
    assert!(p(&twice, 0).1 < p(&twice, 0).0 + 0.02);
}

#[test]
fn a_recomputed_change_gives_the_same_bits_on_any_number_of_threads() {
    let changes: Vec<i64> = (0..90).map(|i| i % 5 - 3).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| test_family(&[recomputing(&changes, 1.0)], Draws::new(4, 0.05)).cells)
    };
    assert_eq!(run(1), run(8));
}

#[test]
fn a_change_that_is_never_defined_is_no_change() {
    #[derive(Debug)]
    struct Never;
    impl Recompute for Never {
        fn change(&self, _: &[u32]) -> f64 {
            f64::NAN
        }
    }
    let blocks = (0..20).map(|block| (block, 0)).collect();
    let never = Cell { changes: Changes::Recomputed { blocks, by: Arc::new(Never) }, weight: 1.0, decisive: true };
    assert_eq!(test_family(&[never], Draws::new(1, 0.05)).cells[0].p, Some(1.0));
}
