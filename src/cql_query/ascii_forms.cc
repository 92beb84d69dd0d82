// The signs beyond ASCII that have a form in it for Lucene's ASCIIFoldingFilter 9.7, which
// Cassandra uses: found by asking that for each code point.
#include "cql_query/ascii_forms.h"

#include <algorithm>
#include <iterator>

namespace tailrace::cql_query {
namespace {

/// Neighbours: the forms of `first` and of those behind it, a space between.
struct Run {
  char32_t first;
  std::string_view forms;
};

// clang-format off
constexpr Run kRuns[] = {
    {0x00AB, "\""},
    {0x00B2, "2 3"},
    {0x00B9, "1"},
    {0x00BB, "\""},
    {0x00C0, "A A A A A A AE C E E E E I I I I D N O O O O O"},
    {0x00D8, "O U U U U Y TH ss a a a a a a ae c e e e e i i i i d n o o o o o"},
    {0x00F8, "o u u u u y th y A a A a A a C c C c C c C c D d D d E e E e E e E e E e G g "
             "G g G g G g H h H h I i I i I i I i I i IJ ij J j K k q L l L l L l L l L l N "
             "n N n N n n N n O o O o O o OE oe R r R r R r S s S s S s S s T t T t T t U u "
             "U u U u U u U u U u W w Y y Y Z z Z z Z z s b B B b"},
    {0x0186, "O C c D D D d"},
    {0x018E, "E A E F f G"},
    {0x0195, "hv I I K k l"},
    {0x019C, "M N n O O o"},
    {0x01A4, "P p"},
    {0x01AB, "t T t T U u"},
    {0x01B2, "V Y y Z z"},
    {0x01BF, "w"},
    {0x01C4, "DZ Dz dz LJ Lj lj NJ Nj nj A a I i O o U u U u U u U u U u e A a A a AE ae G "
             "G G G K k O o O o"},
    {0x01F0, "j DZ Dz dz G g HV W N n A a AE ae O o A a A a E e E e I i I i O o O o R r R r "
             "U u U u S s T t Z z H h N d OU ou Z z A a E e O o O o O o O o Y y l n t j db "
             "qp A C c L T s z"},
    {0x0243, "B U V E e J j Q q R r Y y a"},
    {0x0253, "b o c d d e a a e e e e j g g G"},
    {0x0265, "h h"},
    {0x0268, "i"},
    {0x026A, "I l l l"},
    {0x026F, "m m m n n N o OE"},
    {0x027C, "r r r r R R s"},
    {0x0284, "j"},
    {0x0287, "t t u"},
    {0x028B, "v v w y Y z z"},
    {0x0297, "C"},
    {0x0299, "B e G H j k L q"},
    {0x02A3, "dz"},
    {0x02A5, "dz ts"},
    {0x02A8, "tc"},
    {0x02AA, "ls lz"},
    {0x02AE, "h h"},
    {0x1D00, "A AE ae B C D D E e i J K L M N O O"},
    {0x1D14, "oe OU o o P R R T U"},
    {0x1D20, "V W Z"},
    {0x1D62, "i r u v"},
    {0x1D6B, "ue b d f m n p r r s t z g"},
    {0x1D79, "g th I i p U"},
    {0x1D80, "b d f g k l m n p r s"},
    {0x1D8C, "v x z a"},
    {0x1D91, "d e e e a i o"},
    {0x1D99, "u"},
    {0x1E00, "A a B b B b B b C c D d D d D d D d D d E e E e E e E e E e F f G g H h H h H "
             "h H h H h I i I i K k K k K k L l L l L l L l M m M m M m N n N n N n N n O o "
             "O o O o O o P p P p R r R r R r R r S s S s S s S s S s T t T t T t T t U u U "
             "u U u U u U u V v V v W w W w W w W w W w X x X x Y y Z z Z z Z z h t w y a f "
             "s s SS"},
    {0x1EA0, "A a A a A a A a A a A a A a A a A a A a A a A a E e E e E e E e E e E e E e E "
             "e I i I i O o O o O o O o O o O o O o O o O o O o O o O o U u U u U u U u U u "
             "U u U u Y y Y y Y y Y y LL ll V"},
    {0x1EFE, "Y y"},
    {0x2010, "- - - - -"},
    {0x2018, "' ' ' ' \" \" \""},
    {0x2032, "' \""},
    {0x2035, "' \""},
    {0x2038, "^ ' '"},
    {0x203C, "!!"},
    {0x2044, "/ [ ] ?\? ?! !?"},
    {0x204E, "* ;"},
    {0x2052, "% ~"},
    {0x2070, "0 i"},
    {0x2074, "4 5 6 7 8 9 + - = ( ) n 0 1 2 3 4 5 6 7 8 9 + - = ( )"},
    {0x2090, "a e o x a"},
    {0x2184, "c"},
    {0x2460, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 (1) (2) (3) (4) (5) (6) "
             "(7) (8) (9) (10) (11) (12) (13) (14) (15) (16) (17) (18) (19) (20) 1. 2. 3. "
             "4. 5. 6. 7. 8. 9. 10. 11. 12. 13. 14. 15. 16. 17. 18. 19. 20. (a) (b) (c) (d) "
             "(e) (f) (g) (h) (i) (j) (k) (l) (m) (n) (o) (p) (q) (r) (s) (t) (u) (v) (w) "
             "(x) (y) (z) A B C D E F G H I J K L M N O P Q R S T U V W X Y Z a b c d e f g "
             "h i j k l m n o p q r s t u v w x y z 0 11 12 13 14 15 16 17 18 19 20 1 2 3 4 "
             "5 6 7 8 9 10 0"},
    {0x275B, "' ' \" \""},
    {0x2768, "( ) ( ) < > \" \" < > [ ] { } 1 2 3 4 5 6 7 8 9 10 1 2 3 4 5 6 7 8 9 10 1 2 3 4 "
             "5 6 7 8 9 10"},
    {0x2C60, "L l L P R a t H h K k Z z"},
    {0x2C6E, "M a"},
    {0x2C71, "v W w v H h"},
    {0x2C78, "e"},
    {0x2C7A, "o E j"},
    {0x2E28, "(( ))"},
    {0xA728, "TZ tz"},
    {0xA730, "F S AA aa AO ao AU au AV av AV av AY ay c c K k K k K k L l L l O o O o OO oo "
             "P p P p P p Q q Q q R r"},
    {0xA75E, "V v VY vy Z z"},
    {0xA766, "TH th V"},
    {0xA779, "D d F f G G g L l R r s S T"},
    {0xA7FB, "F p M I M"},
    {0xFB00, "ff fi fl ffi ffl"},
    {0xFB06, "st"},
    {0xFF01, "! \" # $ % & ' ( ) * + , - . / 0 1 2 3 4 5 6 7 8 9 : ; < = > ? @ A B C D E F G "
             "H I J K L M N O P Q R S T U V W X Y Z [ \\ ] ^ _"},
    {0xFF41, "a b c d e f g h i j k l m n o p q r s t u v w x y z {"},
    {0xFF5D, "} ~"},
};
// clang-format on

}  // namespace

std::string_view ascii_form(char32_t point) {
  const auto* run = std::ranges::upper_bound(kRuns, point, {}, &Run::first);
  if (run == std::begin(kRuns)) return {};
  --run;
  std::string_view forms = run->forms;
  for (char32_t at = run->first; at < point; ++at) {
    const auto space = forms.find(' ');
    if (space == std::string_view::npos) return {};
    forms.remove_prefix(space + 1);
  }
  return forms.substr(0, forms.find(' '));
}

}  // namespace tailrace::cql_query
