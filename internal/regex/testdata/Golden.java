import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.regex.*;

/** Prints what java.util.regex answers, as JSON lines: java Golden.java > golden.jsonl (Java 17).
 *  p pattern, f flags (Pattern's), e: refused; c: cases: i input, m all matches by find() (start, end of each group in bytes),
 *  w groups of matches() or null, l lookingAt(). */
public class Golden {
    static final String[] PATTERNS = {
        "", "a", "abc", "a|b|", "(a)(b)?", "a*", "a+?", "a??b", "(?:ab)+", "(ab)*c", "^a", "a$", "^$", "(?m)^a", "(?m)a$", "(?m)^", "(?m)$", "a\\Z", "a\\z", "\\Aa", "\\bfoo\\b",
        "\\Bo", "(?i)foo", "(?i)straße", "(?iu)STRASSE|straße", "(?iu)k", "(?iu)s", "(?i)k", "(?iu)[k-l]", "(?iu)[j-l]", "(?i)[a-f]+", "(?i)É", "(?iu)É", "(?iu)ı", "(?iu)i", "(?iu)İ", "(?iu)σ", "(?iu)ς", "(?iu)µ", "(?iu)ÿ", "(?iu)å",
        ".", ".+", "(?s).+", "(?d).+", "(?d)a$", "(?dm)^a$", "\\s+", "\\S+", "\\h+", "\\H", "\\v", "\\V+", "\\R", "\\R+", "\\R\\n", "a\\Rb", "\\d+", "\\D+", "\\w+", "\\W+", "(?U)\\w+", "(?U)\\d+", "(?U)\\s+", "(?U)\\bé", "(?-U)\\w", "(?U)\\p{Alpha}+", "(?U)\\p{Punct}", "(?U)\\p{Upper}", "(?Ui)\\p{Upper}+",
        "\\Qa.b\\E+", "\\Qa.b", "x\\Q", "\\Q\\E", "\\Q[\\E", "[\\Qa-z\\E]+", "\\Q1\\E2", "\\0101", "\\x41", "\\x{41}", "\\u0041", "\\x{1F600}", "\\uD83D\\uDE00", "\\cA", "\\e", "\\a", "\\t\\n", "\\07", "\\0377", "\\0400",
        "[abc]", "[^abc]", "[a-c&&[b-d]]", "[a-z&&[^aeiou]]+", "[a-c[x-z]]+", "[^a-c[x-z]]+", "[a-z&&bcd]", "[a-z&&[bc]&&[cd]]", "[a&&]", "[&&a]", "[a&b]", "[a&&&b]", "[]a]", "[^]a]", "[a-]", "[-a]", "[a-[b]]", "[a\\-z]+", "[\\w&&[^\\d]]+", "[^\\w\\s]+", "[\\]]", "[a&&b&&c]", "[a-z&&^b]", "[^a&&a]", "[^&&a]", "[a-d&&b-e]", "[a-d&&b-e[x]]", "[[a][b]]", "[a[^b]]", "[\\p{L}&&[^a]]", "[\\v-a]", "[\\h]", "[\\R]", "[\\b]", "[\\1]", "[a-\\d]", "[\\d-a]", "[z-a]", "[", "[a", "[]", "[^]", "[&&]", "[a&&", "[^", "[a-", "a]", "a}", "}", "{", "a{", "a{1", "a{1,", "a{,2}", "{2}", "a{2}", "a{2,}", "a{2,3}", "a{3,2}", "a{2}{3}", "a{2}?", "a{1,2}+", "a{0}b", "a{99999999999}", "(a{2}){2}", "a**", "a+*", "a?+", "a?*", "a*?+", "*", "+", "?", "|*", "(*)", "(", ")", "(a", "a)", "()", "()*", "(|a)+", "(|a)*", "(a|)*", "(a|b*)*", "(a*)*", "(a*)+", "(a*?)+?", "(a?)*?b", "(a?b??)*", "(?:a|ab)(?:c|bcd)(d*)", "(a+|b+)*c", "((a)|(b))*", "(a|(b))*", "(?:(a)|b)*", "(a)|b", "((a))", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\\11", "(a)\\11", "\\1", "(a)\\1", "(a)\\2", "\\1(a)", "(?i)(a)\\1", "(?iu)(σ)\\1", "(a*)\\1", "(?<n>a)\\k<n>", "\\k<n>", "(?<n>a)(?<n>b)", "(?<1n>a)", "(?<n_>a)", "(?<n>a", "(?<n", "(?'n'a)", "\\k", "\\kn",
        "(?=a)", "(?!a).", "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "(?<=a|bc)d", "(?<=a*)b", "(?<=a{2,})b", "(?<=.+)b", "(?<=(a*))b", "(?<=a*c*)b", "(?<=a*c*d*)b", "(?<=a*?)b", "(?<=(a*)?)b", "(?<=a*|b)b", "(?<=(a*){2})b", "(?<=\\R*)b", "(?<=xa*)b", "(?<!a*c*)b", "(?<=.*\\n)b", "(?<=a{1,3})b", "(?<=(a|b){1,2})c", "(?<=(ab){1,2})c", "(?<=^|,)x", "(?<=\\R)x", "(?<=.)\\b", "(?<=(a))\\1", "(?<!\\w)x", "(?=(a+))a*b\\1", "(?>a+)b", "(?>a|ab)c", "a++b", "a*+a", "a?+a", "(?:ab)++c", "(a|ab)++c", "a{1,3}+a", "(?=a)*", "(?=a)+b", "\\Ga", "\\G\\d", "(?<a>x)(?<b>y)?",
        "(?x) a b # c\n d", "(?x)[a b]+", "(?x)a\\ b", "(?x)[#]a", "(?x)a {2}", "(?x)a{2 }", "(?x)( ?:a)", "(?x)(? :a)", "(?x)(?i )a", "(?x)\\ x", "(?x)#\u0085a", "(?xd)#\u0085a\nb", "(?x)a\\Q b\\E", "(?i)a(?-i)b", "(?i:a)b", "a(?i)b|c", "(a(?i)b)c", "(?idmsux)a", "(?idmsuxU-idmsuxU)a", "(?z)a", "(?i", "(?i-", "(?-)a", "(?i--i)a", "(?:a", "(?", "(?#c)a", "(?P<n>a)", "(?$a)", "(?@a)", "(?i)*",
        "\\p{L}+", "\\pL", "\\PL+", "\\p{Lu}", "\\p{IsLu}", "\\p{Lower}", "(?i)\\p{Lower}", "(?i)\\p{Lu}", "(?i)\\p{IsUppercase}", "\\p{IsAlphabetic}+", "\\p{IsLatin}+", "\\p{IsGreek}", "\\p{script=Greek}", "\\p{sc=grek}", "\\p{InGreek}", "\\p{block=Greek}", "\\p{InBasicLatin}+", "\\p{InLatin-1 Supplement}", "\\p{InLATIN_1_SUPPLEMENT}", "\\p{gc=Lu}", "\\p{general_category=Nd}+", "\\p{GC=Lu}", "\\p{javaLowerCase}", "\\p{javaWhitespace}", "\\p{javaJavaIdentifierStart}+", "\\p{javaMirrored}", "\\p{Alpha}+", "\\p{Punct}+", "\\p{Graph}", "\\p{Print}+", "\\p{Blank}", "\\p{Cntrl}", "\\p{XDigit}+", "\\p{Space}", "\\p{ASCII}+", "\\p{Alnum}", "\\p{IsPunctuation}", "\\p{IsWhite_Space}", "\\p{IsDigit}", "\\p{IsHan}", "\\p{IsIdeographic}", "\\p{IsAssigned}", "\\p{IsEmoji}", "\\p{Foo}", "\\p{IsFoo}", "\\p{InFoo}", "\\p{foo=bar}", "\\p{", "\\p", "\\p{}", "\\p{L", "\\P{L}", "\\p{lu}", "\\p{ALPHA}", "(?U)\\p{ALPHA}", "\\p{LC}", "\\p{L1}+", "\\p{LD}+", "\\p{all}", "\\p{C}", "\\p{Cn}", "\\p{S}+", "\\p{Z}", "\\p{M}", "\\p{IsWord}+", "\\p{IsLetter}",
        "\\y", "\\i", "\\", "a\\", "\\_", "\\-", "\\/", "\\é", "\\N", "\\X+", "\\b{g}", "\\b{1}", "\\b{", "\\x", "\\x4", "\\x{", "\\x{}", "\\x{110000}", "\\u12", "\\uD83D", "\\08", "\\0", "\\c", "\\E", "a\\Eb", "\\F", "\\Y", "\\g", "\\l", "\\o", "\\q", "\\C", "\\8",
        "foo.*bar", ".*foo.*", "(.*?)=(.*)", "(\\w+)\\s*=\\s*(\\S+)", "([^,]*),([^,]*)", "^(\\d{1,3})\\.(\\d{1,3})$", "(?i)(?:GET|POST) (/\\S*)", "(\\d{4})-(\\d\\d)-(\\d\\d)", "https?://([^/]+)/?", "[+-]?\\d+(?:\\.\\d+)?", "x*", "\\d{2,}?", "(?:x?y?)*z", "(x+x+)+y", "(?s)a.b", "a.b", "é+", "[é-ü]+", "日本", "😀+", "[😀-😂]", ".😀", "\\b\u0301", "e\\b", "\\b.\\b", "\\B.\\B", "^.", ".$", "(?m)^.$", "(?m)\\R^", "$.", "a$\\n", "a$\\r\\n", "a$(\\r?\\n)", "$\\n", "^\\n", "\\n$", "\\r$", "(?d)\\r$", "\\Z\\n", "(?m)$\\n", "(?m)\\r$", "(?m)^\\n", "(?s).$", "(?s).\\Z",
    };
    static final String[] INPUTS = {
        "", "a", "ab", "abc", "aab", "aaab", "b", "ba", "aa\nab\n", "a\r\nb\r\n", "a\n", "a\r", "a\r\n", "a\u0085", "a\u2028b\u2029", "\n", "\r\n", "\n\r", "foo bar", "FOO Foo", "foo_bar food", "straße STRASSE Straſse", "k K \u212A s S \u017F", "é É e\u0301 \u0301", "ıIiİ", "σςΣ µμ ÿŸ åÅ\u212B",
        "x=1, y = 22", "key=value=z", "1.2 10.20", "GET /index.html?a=b", "2024-02-29T10:00", "http://example.com/a/b", "abcdefghijkak", "aba", "aaaa", "abab", "ababc", "abcabc", "a.b.ba.b", "[a-z]", "12 345\u0663", " \t\u00A0\u3000\u2003x", "a]b}c{d", "a&b&&c-^", "日本語 漢字", "😀😁 x😀", "A\u0001\u001B\u0007", "xxxxxxxxxxxxxxxx", "_a1 $b2", "(a) <b> «c»",
    };
    static final Random R = new Random(20240229);

    static String pick(String... s) { return s[R.nextInt(s.length)]; }

    static String atom(int d) {
        switch (R.nextInt(d > 0 ? 19 : 12)) {
            case 0: case 1: case 2: return pick("a", "b", "c");
            case 3: return pick("ab", "é", "\\n", "x", "A", "\\r", "\\x{1F600}", "k", "s", "_", "1", "\u0301");
            case 4: return pick(".", ".", "\\w", "\\d", "\\s", "\\S", "\\W", "\\R", "\\h", "\\v", "\\D");
            case 5: return pick("[ab]", "[^a]", "[a-c&&[^b]]", "[a-z]", "[\\w&&[^c]]", "[^\\s]", "[A-Z\\d]", "[é-ÿa]", "[^\\n]", "[a[bc]]", "[^a[b]&&[a-c]]");
            case 6: return pick("^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G");
            case 7: return pick("\\p{L}", "\\p{Lu}", "\\P{L}", "\\p{Alpha}", "\\p{Punct}", "\\p{IsLatin}", "\\p{Space}", "\\p{Lower}");
            case 8: return pick("\\Qa.\\E", "\\Qb\\E", "a", "b");
            case 9: return pick("\\1", "\\2", "a", "b");
            case 10: case 11: return pick("a", "b", "\\n", ".");
            case 12: case 13: return "(" + alt(d - 1) + ")";
            case 14: return "(?:" + alt(d - 1) + ")";
            case 15: return pick("(?=", "(?!", "(?>", "(?i:", "(?s:", "(?m:", "(?-i:") + alt(d - 1) + ")";
            case 16: return pick("(?<=", "(?<!") + pick("a", "ab", "a|b", "[ab]c", "\\n", "^", "a?", "ab|c", "(a)", "(a|b)b") + ")";
            case 17: return "(" + alt(d - 1) + ")" + pick("*", "+", "?", "{2}", "*?", "+?", "{1,2}");
            default: return pick("(?i)", "(?m)", "(?s)", "(?u)", "(?d)", "(?-m)", "(?U)") + atom(d - 1);
        }
    }

    static String cat(int d) {
        StringBuilder b = new StringBuilder();
        for (int n = 1 + R.nextInt(3); n > 0; n--) {
            b.append(atom(d));
            if (R.nextInt(3) == 0) b.append(pick("*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{0,2}?", "{2,}", "{2}+"));
        }
        return b.toString();
    }

    static String alt(int d) { return R.nextInt(3) == 0 ? cat(d) + "|" + (R.nextInt(6) == 0 ? "" : cat(d)) : cat(d); }

    static String input() {
        StringBuilder b = new StringBuilder();
        for (int n = R.nextInt(9); n > 0; n--)
            b.append(R.nextInt(4) > 0 ? pick("a", "b", "c", "ab") : pick("\n", "\r", "\r\n", " ", "A", "B", "é", "É", "x", "_", "1", "😀", "\u2028", "\u0301", "k", "K", "s", ".", "-"));
        return b.toString();
    }

    static String q(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray())
            if (c == '"' || c == '\\') b.append('\\').append(c);
            else if (c < 32 || c > 126) b.append(String.format("\\u%04x", (int) c));
            else b.append(c);
        return b.append('"').toString();
    }

    static int at(String s, int i) { return i < 0 ? -1 : s.substring(0, i).getBytes(StandardCharsets.UTF_8).length; }

    static String groups(Matcher m, String s) {
        StringBuilder b = new StringBuilder("[");
        for (int g = 0; g <= m.groupCount(); g++)
            b.append(g > 0 ? "," : "").append(at(s, m.start(g))).append(',').append(at(s, m.end(g)));
        return b.append(']').toString();
    }

    /** Whether a match begins or ends within a surrogate pair, which UTF-8 has no place for. */
    static boolean torn(Pattern p, String s) {
        for (Matcher m = p.matcher(s); m.find(); )
            for (int g = 0; g <= m.groupCount(); g++)
                for (int i : new int[]{m.start(g), m.end(g)})
                    if (i > 0 && i < s.length() && Character.isSurrogatePair(s.charAt(i - 1), s.charAt(i))) return true;
        return false;
    }

    static void run(String p, int flags, Collection<String> inputs) {
        StringBuilder b = new StringBuilder("{\"p\":" + q(p) + ",\"f\":" + flags);
        Pattern pat;
        try {
            pat = Pattern.compile(p, flags);
        } catch (PatternSyntaxException e) {
            System.out.println(b + ",\"e\":true}");
            return;
        }
        b.append(",\"c\":[");
        String sep = "";
        for (String s : inputs) {
            if (torn(pat, s)) continue;
            b.append(sep).append("{\"i\":").append(q(s)).append(",\"m\":[");
            sep = ",";
            Matcher m = pat.matcher(s);
            for (int n = 0; m.find(); n++) b.append(n > 0 ? "," : "").append(groups(m, s));
            m = pat.matcher(s);
            b.append("],\"w\":").append(m.matches() ? groups(m, s) : "null");
            b.append(",\"l\":").append(pat.matcher(s).lookingAt()).append('}');
        }
        System.out.println(b + "]}");
    }

    public static void main(String[] args) {
        for (String p : PATTERNS) {
            Set<String> in = new LinkedHashSet<>();
            for (String s : INPUTS) { // those that say something: the others are sampled
                boolean hit = false;
                try { hit = Pattern.compile(p).matcher(s).find(); } catch (PatternSyntaxException e) { }
                if (hit ? R.nextInt(3) == 0 : R.nextInt(12) == 0) in.add(s);
            }
            run(p, 0, in);
            if (R.nextInt(4) == 0) run(p, 1 << R.nextInt(9) & ~(16 | 128), in);
        }
        for (int n = 0; n < 2600; n++) {
            List<String> in = new ArrayList<>();
            for (int k = 0; k < 4; k++) in.add(input());
            run(alt(2), R.nextInt(5) == 0 ? new int[]{2, 8, 32, 1, 66, 256}[R.nextInt(6)] : 0, in);
        }
    }
}
