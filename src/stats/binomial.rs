//! Binomial draws whose bits are fixed by this crate: no dependency can change them under a stored seed.

use super::rng::{Stream, uniform};

/// Below this expected count inversion is quicker, and rejection is not valid.
const INVERSION_LIMIT: f64 = 10.0;

/// One draw from Binomial(`n`, `p`): how many of `n` independent trials of probability `p` succeed.
///
/// Inversion for small expected counts, else the transformed rejection BTRS of Hörmann (1993); both sample the
/// distribution itself, not an approximation. `p` outside `[0, 1]` counts as the nearer end, NaN as 0.
pub fn draw(n: u64, p: f64, rng: &mut Stream) -> u64 {
    Binomial::new(n, p).draw(rng)
}

/// A distribution to draw from, with what can be computed before: the roots and quotients of many of them then overlap,
/// which they do not between draws, whose end a processor cannot foresee.
#[derive(Debug, Clone, Copy)]
pub struct Binomial {
    n: u64,
    /// The probability, or that of failure where it is the smaller one.
    p: f64,
    mirrored: bool,
    method: Method,
}

#[derive(Debug, Clone, Copy)]
enum Method {
    Nothing,
    Inversion,
    Rejection(Rejection),
}

impl Binomial {
    /// As [`draw`] describes it.
    #[inline]
    pub fn new(n: u64, p: f64) -> Self {
        let mirrored = p > 0.5;
        let p = if mirrored { 1.0 - p } else { p };
        let method = if n == 0 || p.is_nan() || p <= 0.0 {
            Method::Nothing
        } else if n as f64 * p < INVERSION_LIMIT {
            Method::Inversion
        } else {
            Method::Rejection(Rejection::new(n as f64, p))
        };
        Self { n, p, mirrored, method }
    }

    /// One draw.
    #[inline]
    pub fn draw(&self, rng: &mut Stream) -> u64 {
        let count = match &self.method {
            Method::Nothing => 0,
            Method::Inversion => invert(self.n, self.p, rng),
            Method::Rejection(rejection) => rejection.draw(self.n as f64, self.p, rng),
        };
        if self.mirrored { self.n - count } else { count }
    }
}

/// Walks up the distribution function.
fn invert(n: u64, p: f64, rng: &mut Stream) -> u64 {
    let odds = p / (1.0 - p);
    let first = libm::exp(n as f64 * libm::log1p(-p));
    loop {
        let (mut rest, mut mass, mut k) = (uniform(rng), first, 0_u64);
        while rest >= mass && k < n {
            rest -= mass;
            k += 1;
            mass *= odds * (n - k + 1) as f64 / k as f64;
        }
        // Only rounding can leave more probability than all outcomes hold; such a draw is thrown away.
        if rest < mass {
            return k;
        }
    }
}

/// Hörmann's BTRS, for `n p >= 10`, with the squeeze of his BTRD before anything is computed exactly.
#[derive(Debug, Clone, Copy)]
struct Rejection {
    variance: f64,
    deviation: f64,
    a: f64,
    b: f64,
    centre: f64,
    quick: f64,
}

impl Rejection {
    #[inline]
    fn new(n: f64, p: f64) -> Self {
        let variance = n * p * (1.0 - p);
        let deviation = variance.sqrt();
        let b = 1.15 + 2.53 * deviation;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        Self { variance, deviation, a, b, centre: n * p + 0.5, quick: 0.92 - 4.2 / b }
    }

    fn draw(&self, n: f64, p: f64, rng: &mut Stream) -> u64 {
        let Self { variance, deviation, a, b, centre, quick } = *self;
        loop {
            let v = uniform(rng);
            let u = uniform(rng) - 0.5;
            let near = 0.5 - u.abs();
            let position = (2.0 * a / near + b) * u + centre;
            // Written so that the infinity of `near == 0` is thrown away as well.
            if !(position >= 0.0 && position < n + 1.0) {
                continue;
            }
            let k = position as u64;
            if near >= 0.07 && v <= quick {
                return k;
            }
            let scale = (2.83 + 5.1 / b) * deviation;
            let height = libm::log(v * scale / (a / (near * near) + b));
            if accepts(n, p, variance, k as f64, height) {
                return k;
            }
        }
    }
}

/// Whether `height` lies at or below ln(P(X = k) / P(X = mode)).
fn accepts(n: f64, p: f64, variance: f64, k: f64, height: f64) -> bool {
    let mode = ((n + 1.0) * p) as u64 as f64;
    let away = (k - mode).abs();
    if away < 0.5 * variance - 1.0 {
        // Bounds of Kachitvichyanukul & Schmeiser (1988): the ratio is normal up to this slack.
        let slack = (away / variance) * ((away * (away / 3.0 + 0.625) + 1.0 / 6.0) / variance + 0.5);
        let normal = -away * away / (2.0 * variance);
        if height <= normal - slack {
            return true;
        }
        if height > normal + slack {
            return false;
        }
    }
    height <= ln_ratio_to_mode(n, p, mode, k)
}

/// ln of P(X = k) over P(X = mode).
fn ln_ratio_to_mode(n: f64, p: f64, mode: f64, k: f64) -> f64 {
    let odds = p / (1.0 - p);
    (mode + 0.5) * libm::log((mode + 1.0) / (odds * (n - mode + 1.0)))
        + (n + 1.0) * libm::log((n - mode + 1.0) / (n - k + 1.0))
        + (k + 0.5) * libm::log(odds * (n - k + 1.0) / (k + 1.0))
        + stirling_tail(mode)
        + stirling_tail(n - mode)
        - stirling_tail(k)
        - stirling_tail(n - k)
}

/// ln k! less its Stirling approximation `(k + ½) ln(k + 1) - (k + 1) + ½ ln 2π`.
fn stirling_tail(k: f64) -> f64 {
    const SMALL: [f64; 10] = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_29,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_09,
        0.016_644_691_189_821_19,
        0.013_876_128_823_070_75,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_09,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
    ];
    if k < 10.0 {
        return SMALL[k as usize];
    }
    let x = k + 1.0;
    let inverse_square = 1.0 / (x * x);
    (1.0 / 12.0 - (1.0 / 360.0 - inverse_square / 1260.0) * inverse_square) / x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::stream;
    use crate::stats::special::{chi_squared_sf, ln_choose};

    /// χ² p-value of 200,000 draws against the exact probabilities, outcomes of expectation below 10 pooled.
    fn fit(n: u64, p: f64, seed: u64) -> f64 {
        let draws = 200_000;
        let mut counts = vec![0_u32; n as usize + 1];
        let mut rng = stream(seed, n);
        for _ in 0..draws {
            counts[draw(n, p, &mut rng) as usize] += 1;
        }
        let (mut statistic, mut cells, mut pooled_expected, mut pooled_count) = (0.0, 0, 0.0, 0.0);
        for (k, &count) in counts.iter().enumerate() {
            let k = k as f64;
            let ln = ln_choose(n as f64, k) + k * p.ln() + (n as f64 - k) * (-p).ln_1p();
            pooled_expected += f64::from(draws) * ln.exp();
            pooled_count += f64::from(count);
            if pooled_expected >= 10.0 {
                statistic += (pooled_count - pooled_expected).powi(2) / pooled_expected;
                (cells, pooled_expected, pooled_count) = (cells + 1, 0.0, 0.0);
            }
        }
        chi_squared_sf(statistic, f64::from(cells - 1))
    }

    #[test]
    fn draws_follow_the_distribution() {
        for (seed, (n, p)) in [
            (1, 0.3),
            (7, 0.5),
            (40, 0.02),
            (40, 0.25),
            (40, 0.75),
            (100, 0.1),
            (500, 0.5),
            (3000, 0.97),
            (20_000, 0.4),
        ]
        .into_iter()
        .enumerate()
        {
            let p_value = fit(n, p, seed as u64);
            assert!(p_value > 1e-4, "Binomial({n}, {p}): {p_value}");
        }
    }

    #[test]
    fn the_edges_are_certain() {
        let mut rng = stream(1, 1);
        for _ in 0..100 {
            assert_eq!([draw(0, 0.5, &mut rng), draw(9, 0.0, &mut rng), draw(9, 1.0, &mut rng)], [0, 0, 9]);
            assert!(draw(u64::MAX >> 12, 1e-18, &mut rng) < 10);
        }
        assert_eq!(draw(5, f64::NAN, &mut rng), 0);
    }

    #[test]
    fn stirling_series_meets_its_table() {
        let exact = |k: f64| {
            ln_gamma_of_integer(k) - ((k + 0.5) * (k + 1.0).ln() - (k + 1.0) + 0.5 * std::f64::consts::TAU.ln())
        };
        for k in 0..40 {
            let k = f64::from(k);
            assert!((stirling_tail(k) - exact(k)).abs() < 1e-8, "{k}");
        }
    }

    fn ln_gamma_of_integer(k: f64) -> f64 {
        (1..=k as u32).map(|j| f64::from(j).ln()).sum()
    }
}
