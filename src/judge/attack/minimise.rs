//! The lowest point of a smooth convex function, by L-BFGS.

/// Steps whose shape is remembered.
const REMEMBERED: usize = 10;
/// Steps at most.
const STEPS: usize = 300;
/// Where a step lowers the value by less than this share of it, it is low enough.
const ENOUGH: f64 = 1e-7;

/// Goes down from a point; `slope` gives the value and the gradient. (Nocedal and Wright, "Numerical Optimization",
/// algorithms 7.4 and 3.1.)
pub(super) fn minimise(mut point: Vec<f64>, slope: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let (mut value, mut gradient) = slope(&point);
    // Differences of points, of gradients, and one over their product.
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..STEPS {
        let direction = direction(&gradient, &memory);
        let descent = dot(&direction, &gradient);
        let mut length = if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let (next, next_value, next_gradient) = loop {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(at, step)| at + length * step).collect();
            let (next_value, next_gradient) = slope(&next);
            if next_value <= value + 1e-4 * length * descent {
                break (next, next_value, next_gradient);
            }
            length /= 2.0;
            if length < 1e-12 {
                return point;
            }
        };
        let moved: Vec<f64> = next.iter().zip(&point).map(|(new, old)| new - old).collect();
        let turned: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let product = dot(&moved, &turned);
        if product > 0.0 {
            if memory.len() == REMEMBERED {
                memory.remove(0);
            }
            memory.push((moved, turned, 1.0 / product));
        }
        let lowered = value - next_value;
        (point, value, gradient) = (next, next_value, next_gradient);
        if lowered <= ENOUGH * value.abs() {
            break;
        }
    }
    point
}

/// Against the gradient, bent by what the last steps showed of the shape.
fn direction(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (moved, turned, inverse) in memory.iter().rev() {
        let share = inverse * dot(moved, &direction);
        add(&mut direction, -share, turned);
        shares.push(share);
    }
    if let Some((moved, turned, _)) = memory.last() {
        let scale = dot(moved, turned) / dot(turned, turned);
        for step in &mut direction {
            *step *= scale;
        }
    }
    for ((moved, turned, inverse), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = inverse * dot(turned, &direction);
        add(&mut direction, share - back, moved);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(sum, part)| *sum += times * part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_lowest_point() {
        // A narrow valley: (x - 3)² + 50 (y + x)² + cosh(z)
        let found = minimise(vec![0.0; 3], |p| {
            let (a, b) = (p[0] - 3.0, p[1] + p[0]);
            (a * a + 50.0 * b * b + p[2].cosh(), vec![2.0 * a + 100.0 * b, 100.0 * b, p[2].sinh()])
        });
        let off = (found[0] - 3.0).abs().max((found[1] + 3.0).abs()).max(found[2].abs());
        assert!(off < 1e-2, "{found:?}");
    }
}
