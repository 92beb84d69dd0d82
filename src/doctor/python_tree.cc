#include "doctor/python_tree.h"

#include <set>

#include "doctor/python_tokens.h"

namespace tailrace::doctor {
namespace {

using Kind = Expression::Kind;

constexpr int kMaxDepth = 50;
constexpr int kMaxChain = 100;  ///< of operators, half of that of trailers; the rest is left out
constexpr std::size_t kMaxBytes = 1 << 20;

class Parser {
 public:
  Parser(std::string_view text, int line, int depth)
      : tokens_(python_tokens(text, line)), depth_(depth) {}

  std::vector<Statement> all() {
    std::vector<Statement> out;
    while (!is(Token::Kind::kEnd)) {
      for (Statement& one : block()) out.push_back(std::move(one));
      if (is(Token::Kind::kDedent)) next();
    }
    return out;
  }

  std::vector<Statement> block() {
    std::vector<Statement> out;
    while (!is(Token::Kind::kEnd) && !is(Token::Kind::kDedent)) {
      const std::size_t before = at_;
      statement(out);
      if (at_ == before) ++at_;  // what nothing takes is passed over
    }
    return out;
  }

  Expression expression() {
    Expression left = unary();
    for (int length = 0; is_binary(); ++length) {
      Expression both{Kind::kBinary, left.line, next().text, {}, {}};
      if (both.text == "not" || (both.text == "is" && word("not"))) next();  // not in, is not
      Expression right = unary();
      if (length >= kMaxChain) continue;
      both.parts.push_back(std::move(left));
      both.parts.push_back(std::move(right));
      left = std::move(both);
    }
    return left;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool is(Token::Kind kind) const { return now().kind == kind; }
  bool op(std::string_view text) const { return is(Token::Kind::kOperator) && now().text == text; }
  bool word(std::string_view text) const { return is(Token::Kind::kName) && now().text == text; }
  Token next() {
    Token token = now();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool take(std::string_view text) {
    if (!op(text)) return false;
    next();
    return true;
  }

  bool is_binary() const {
    static const std::set<std::string, std::less<>> kWords = {"and", "or",  "in",   "is",   "if",
                                                              "not", "for", "else", "async"};
    static const std::set<std::string, std::less<>> kMarks = {
        "+", "-",  "*",  "/",  "%",  "//", "**", "@",  "|",  "&",
        "^", "<<", ">>", "==", "!=", "<",  ">",  "<=", ">=", ":="};
    if (is(Token::Kind::kName)) return kWords.contains(now().text);
    return is(Token::Kind::kOperator) && kMarks.contains(now().text);
  }

  Expression unary() {
    static const std::set<std::string, std::less<>> kWords = {"not", "await", "yield", "from"};
    if (op("-") || op("+") || op("~") || op("*") || op("**") ||
        (is(Token::Kind::kName) && kWords.contains(now().text))) {
      Expression out{Kind::kOther, now().line, next().text, {}, {}};
      if (++depth_ < kMaxDepth) out.parts.push_back(unary());
      --depth_;
      return out;
    }
    if (word("lambda")) {
      Expression out{Kind::kOther, next().line, "lambda", {}, {}};
      while (!op(":") && !is(Token::Kind::kNewline) && !is(Token::Kind::kEnd)) next();
      take(":");
      if (++depth_ < kMaxDepth) out.parts.push_back(expression());
      --depth_;
      return out;
    }
    return trailers(atom());
  }

  Expression atom() {
    const int line = now().line;
    if (is(Token::Kind::kText) || is(Token::Kind::kFormat)) return texts();
    if (is(Token::Kind::kNumber)) return {Kind::kNumber, line, next().text, {}, {}};
    if (is(Token::Kind::kName)) return {Kind::kName, line, next().text, {}, {}};
    if (op("(") || op("[") || op("{")) return bracketed();
    Expression other{Kind::kOther, line, "", {}, {}};
    if (op("...")) next();
    return other;
  }

  /// Strings side by side are one.
  Expression texts() {
    Expression out{Kind::kText, now().line, "", {}, {}};
    std::vector<Expression> parts;
    bool format = false;
    while (is(Token::Kind::kText) || is(Token::Kind::kFormat)) {
      const Token token = next();
      if (token.kind == Token::Kind::kText) {
        out.text += token.text;
        parts.push_back({Kind::kText, token.line, token.text, {}, {}});
      } else {
        format = true;
        fields(token, parts);
      }
    }
    if (!format) {
      if (parts.size() > 1) out.parts = std::move(parts);
      return out;
    }
    return {Kind::kFormat, out.line, "", std::move(parts), {}};
  }

  void fields(const Token& token, std::vector<Expression>& parts) {
    std::string plain;
    const std::string& text = token.text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if ((text[i] == '{' || text[i] == '}') && i + 1 < text.size() && text[i + 1] == text[i]) {
        plain += text[i++];
      } else if (text[i] == '{') {
        if (!plain.empty()) parts.push_back({Kind::kText, token.line, plain, {}, {}});
        plain.clear();
        const std::size_t from = i + 1;
        int deep = 0;
        for (++i; i < text.size() && (deep > 0 || text[i] != '}'); ++i)
          deep += (text[i] == '{' || text[i] == '[' || text[i] == '(')   ? 1
                  : (text[i] == '}' || text[i] == ']' || text[i] == ')') ? -1
                                                                         : 0;
        if (depth_ + 1 < kMaxDepth)
          parts.push_back(Parser(text.substr(from, i - from), token.line, depth_ + 1).expression());
      } else {
        plain += text[i];
      }
    }
    if (!plain.empty()) parts.push_back({Kind::kText, token.line, plain, {}, {}});
  }

  Expression bracketed() {
    const Token open = next();
    const std::string close = open.text == "(" ? ")" : open.text == "[" ? "]" : "}";
    Expression out{Kind::kList, open.line, open.text, {}, {}};
    bool comma = false;
    if (++depth_ >= kMaxDepth) skip_to(close);
    while (!op(close) && !ended()) {
      Expression one = expression();
      if (take(":")) {
        out.kind = Kind::kDict;
        out.parts.push_back(std::move(one));
        one = expression();
      } else if (out.kind == Kind::kDict) {
        out.parts.push_back({Kind::kOther, one.line, "**", {}, {}});
      }
      out.parts.push_back(std::move(one));
      if (take(","))
        comma = true;
      else if (!op(close))
        skip_one();
    }
    take(close);
    --depth_;
    if (open.text == "{" && out.parts.empty()) out.kind = Kind::kDict;
    if (open.text == "(" && out.parts.size() == 1 && !comma) return std::move(out.parts[0]);
    return out;
  }

  bool ended() const { return is(Token::Kind::kEnd) || is(Token::Kind::kNewline); }
  void skip_one() {
    if (!ended()) next();
  }
  void skip_to(std::string_view close) {
    while (!op(close) && !ended()) next();
  }

  Expression trailers(Expression first) {
    Expression base = std::move(first);
    for (int length = 0;; ++length) {
      if (length >= 2 * kMaxChain) base = {};  // as deep as that nobody has to follow it
      const int line = now().line;
      if (take(".")) {
        Expression out{Kind::kAttribute, line, "", {}, {}};
        if (is(Token::Kind::kName)) out.text = next().text;
        out.parts.push_back(std::move(base));
        base = std::move(out);
      } else if (op("(")) {
        base = call(std::move(base));
      } else if (op("[")) {
        next();
        Expression out{Kind::kIndex, line, "", {}, {}};
        out.parts.push_back(std::move(base));
        if (++depth_ < kMaxDepth && !op("]")) out.parts.push_back(expression());
        --depth_;
        if (out.parts.size() == 1) out.parts.push_back({});
        while (!op("]") && !ended()) next();
        take("]");
        base = std::move(out);
      } else {
        return base;
      }
    }
  }

  Expression call(Expression callee) {
    Expression out{Kind::kCall, callee.line, "", {}, {}};
    if (callee.kind == Kind::kAttribute) out.line = callee.line;
    next();
    out.parts.push_back(std::move(callee));
    if (++depth_ >= kMaxDepth) skip_to(")");
    while (!op(")") && !ended()) {
      std::string name;
      if (is(Token::Kind::kName) && tokens_[at_ + 1].kind == Token::Kind::kOperator &&
          tokens_[at_ + 1].text == "=") {
        name = next().text;
        next();
      }
      const std::size_t before = at_;
      out.parts.push_back(expression());
      out.names.push_back(name);
      if (!take(",") && !op(")")) skip_one();
      if (at_ == before) skip_one();
    }
    take(")");
    --depth_;
    return out;
  }

  /// Expressions by commas, as one list when there is a comma.
  Expression tuple() {
    Expression first = expression();
    if (!op(",")) return first;
    Expression out{Kind::kList, first.line, "(", {}, {}};
    out.parts.push_back(std::move(first));
    while (take(","))
      if (!ended() && !op("=")) out.parts.push_back(expression());
    return out;
  }

  void end_line() {
    while (!is(Token::Kind::kNewline) && !is(Token::Kind::kEnd) && !op(";")) next();
    if (is(Token::Kind::kNewline) || op(";")) next();
  }

  std::vector<Statement> suite() {
    while (!op(":") && !ended()) next();
    take(":");
    std::vector<Statement> body;
    if (!is(Token::Kind::kNewline)) {
      statement(body);
      return body;
    }
    next();
    if (!is(Token::Kind::kIndent)) return body;
    next();
    if (++depth_ < kMaxDepth) body = block();
    --depth_;
    if (is(Token::Kind::kDedent)) next();
    return body;
  }

  void statement(std::vector<Statement>& out) {
    if (is(Token::Kind::kNewline) || is(Token::Kind::kIndent)) {
      next();
      return;
    }
    Statement made;
    made.line = now().line;
    made.decorates = take("@");  // a call before its function
    if (is(Token::Kind::kName) && word_statement(made)) {
      out.push_back(std::move(made));
      return;
    }
    made.kind = Statement::Kind::kExpression;
    made.expressions.push_back(tuple());
    if (take(":")) {  // an annotation
      expression();
    }
    while (op("=") || op("+=")) {
      next();
      made.kind = Statement::Kind::kAssign;
      made.expressions.push_back(tuple());
    }
    end_line();
    out.push_back(std::move(made));
  }

  bool word_statement(Statement& made) {
    using S = Statement::Kind;
    if (word("async")) next();
    const std::string text = now().text;
    if (text == "def") return function(made);
    if (text == "import" || text == "from") {
      next();
      made.kind = S::kImport;
      while ((is(Token::Kind::kName) && !word("import") && !word("as")) || op("."))
        made.name += next().text;
      end_line();
    } else if (text == "return" || text == "raise") {
      next();
      made.kind = text == "return" ? S::kReturn : S::kRaise;
      if (!ended()) made.expressions.push_back(tuple());
      end_line();
    } else if (text == "pass" || text == "continue" || text == "break") {
      made.kind = text == "pass" ? S::kPass : S::kContinue;
      end_line();
    } else if (text == "for") {
      next();
      made.kind = S::kFor;
      made.expressions.push_back(trailers(atom()));
      while (!word("in") && !op(":") && !ended()) next();
      if (word("in")) {
        next();
        made.expressions.push_back(tuple());
      }
      made.body = suite();
    } else if (text == "try" || text == "except") {
      next();
      made.kind = text == "try" ? S::kTry : S::kExcept;
      if (!op(":")) made.expressions.push_back(tuple());
      made.body = suite();
    } else if (text == "if" || text == "elif" || text == "while" || text == "with" ||
               text == "else" || text == "finally" || text == "class") {
      next();
      made.kind = S::kBlock;
      made.name = text;
      if (text == "class") next();
      while (!op(":") && !ended()) {
        made.expressions.push_back(expression());
        if (word("as")) {
          next();
          expression();
        }
        if (!take(",")) break;
      }
      made.body = suite();
    } else {
      return false;
    }
    return true;
  }

  bool function(Statement& made) {
    next();
    made.kind = Statement::Kind::kFunction;
    made.name = next().text;
    if (take("(")) {
      int deep = 0;
      bool expects = true;
      while (!ended() && !(deep == 0 && op(")"))) {
        if (expects && deep == 0 && is(Token::Kind::kName)) made.parameters.push_back(now().text);
        if (is(Token::Kind::kName)) expects = false;
        if (op("(") || op("[") || op("{")) ++deep;
        if (op(")") || op("]") || op("}")) --deep;
        if (deep == 0 && op(",")) expects = true;
        next();
      }
      take(")");
    }
    made.body = suite();
    return true;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_;
};

}  // namespace

std::vector<Statement> parse_python(std::string_view text) {
  return Parser(text.substr(0, kMaxBytes), 1, 0).all();
}

std::string dotted(const Expression& expression) {
  if (expression.kind == Kind::kName) return expression.text;
  if (expression.kind != Kind::kAttribute) return {};
  const std::string base = dotted(expression.parts[0]);
  return base.empty() ? std::string() : base + "." + expression.text;
}

}  // namespace tailrace::doctor
