package builtin

import "math"

// Elementary functions. Most of Go's agree with Java's to the last digit; the
// tangent and the inverse sine and cosine here are evaluated more exactly than
// Go does, with the classical minimax polynomials of Sun's fdlibm.

func exp(x float64) float64      { return math.Exp(x) }
func ln(x float64) float64       { return math.Log(x) }
func log10(x float64) float64    { return math.Log10(x) }
func sin(x float64) float64      { return math.Sin(x) }
func cos(x float64) float64      { return math.Cos(x) }
func atan(x float64) float64     { return math.Atan(x) }
func sinh(x float64) float64     { return math.Sinh(x) }
func cosh(x float64) float64     { return math.Cosh(x) }
func tanh(x float64) float64     { return math.Tanh(x) }
func pow(x, y float64) float64   { return javaPow(x, y) }
func atan2(y, x float64) float64 { return math.Atan2(y, x) }

// javaPow differs from C's pow, which Go follows, where the base is 1 or -1
// and the exponent NaN or infinite: Java has NaN there.
func javaPow(x, y float64) float64 {
	if math.IsNaN(y) || (x == 1 || x == -1) && math.IsInf(y, 0) {
		return math.NaN()
	}
	return math.Pow(x, y)
}

const (
	halfPiHigh = math.Pi / 2
	halfPiLow  = 6.123233995736766e-17
)

// arcRatio is the R of asin(x) = x + x*R(x*x).
func arcRatio(t float64) float64 {
	p := t * (1.66666666666666657415e-01 + t*(-3.25565818622400915405e-01+t*(2.01212532134862925881e-01+
		t*(-4.00555345006794114027e-02+t*(7.91534994289814532176e-04+t*3.47933107596021167570e-05)))))
	q := 1 + t*(-2.40339491173441421878e+00+t*(2.02094576023350569471e+00+
		t*(-6.88283971605453293030e-01+t*7.70381505559019352791e-02)))
	return p / q
}

// highPart is x with the lower half of its bits zero.
func highPart(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ (1<<32 - 1)) }

func asin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a > 1 || x != x:
		return math.NaN()
	case a == 1:
		return math.Copysign(halfPiHigh, x)
	case a < 0x1p-27:
		return x
	case a < 0.5:
		return x + x*arcRatio(x*x)
	}
	// asin(x) = pi/2 - 2*asin(sqrt((1-x)/2))
	t := (1 - a) / 2
	s, r := math.Sqrt(t), arcRatio(t)
	if a >= 0.975 {
		return math.Copysign(halfPiHigh-(2*(s+s*r)-halfPiLow), x)
	}
	h := highPart(s)
	c := (t - h*h) / (s + h)
	p := 2*s*r - (halfPiLow - 2*c)
	q := math.Pi/4 - 2*h
	return math.Copysign(math.Pi/4-(p-q), x)
}

func acos(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a > 1 || x != x:
		return math.NaN()
	case x == 1:
		return 0
	case x == -1:
		return math.Pi
	case a < 0x1p-57:
		return halfPiHigh
	case a < 0.5:
		return halfPiHigh - (x - (halfPiLow - x*arcRatio(x*x)))
	}
	t := (1 - a) / 2
	s, r := math.Sqrt(t), arcRatio(t)
	if x < 0 {
		return math.Pi - 2*(s+(r*s-halfPiLow))
	}
	h := highPart(s)
	c := (t - h*h) / (s + h)
	return 2 * (h + (r*s + c))
}

var tanOdd = [...]float64{
	3.33333333333334091986e-01, 5.39682539762260521377e-02, 8.86323982359930005737e-03, 1.45620945432529025516e-03,
	2.46463134818469906812e-04, 7.14072491382608190305e-05, 2.59073051863633712884e-05,
}

var tanEven = [...]float64{
	1.33333333333201242699e-01, 2.18694882948595424599e-02, 3.59207910759131235356e-03,
	5.88041240820264096874e-04, 7.81794442939557092300e-05, -1.85586374855275456654e-05,
}

// tan reduces x to x-n*pi/2 in two doubles and evaluates there. Beyond a
// million, where two doubles are not enough, it is Go's.
func tan(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a < 1e6):
		return math.Tan(x)
	case a <= math.Pi/4:
		return tanKernel(x, 0, false)
	}
	n := math.Round(x * (2 / math.Pi))
	// pi/2 in pieces of 33 bits, so that the products with n are exact.
	const p1, p2, p2tail = 1.57079632673412561417e+00, 6.07710050630396597660e-11, 2.02226624879595063154e-21
	r := x - n*p1
	w := n * p2
	t := r
	r = t - w
	w = n*p2tail - ((t - r) - w)
	y := r - w
	return tanKernel(y, (r-y)-w, int64(n)&1 != 0)
}

// tanKernel is tan(x+y), or -1/tan(x+y) if inverse, for |x| up to pi/4 and y
// the tail of x.
func tanKernel(x, y float64, inverse bool) float64 {
	if math.Abs(x) < 0x1p-28 && !inverse {
		return x
	}
	negative := x < 0
	big := math.Abs(x) >= 0.6744
	if big {
		if negative {
			x, y = -x, -y
		}
		x, y = (math.Pi/4-x)+(3.06161699786838301793e-17-y), 0
	}
	z := x * x
	w := z * z
	r := tanEven[0] + w*(tanEven[1]+w*(tanEven[2]+w*(tanEven[3]+w*(tanEven[4]+w*tanEven[5]))))
	v := z * (tanOdd[1] + w*(tanOdd[2]+w*(tanOdd[3]+w*(tanOdd[4]+w*(tanOdd[5]+w*tanOdd[6])))))
	s := z * x
	r = y + z*(s*(r+v)+y)
	r += tanOdd[0] * s
	w = x + r
	if big {
		one := 1.0
		if inverse {
			one = -1
		}
		res := one - 2*(x-(w*w/(w+one)-r))
		if negative {
			return -res
		}
		return res
	}
	if !inverse {
		return w
	}
	h := highPart(w)
	v = r - (h - x)
	q := -1 / w
	t := highPart(q)
	return t + q*((1+t*h)+t*v)
}
