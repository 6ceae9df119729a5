// Whether a text is JSON: the grammar, without the meaning.
#pragma once
#include <ctype.h>
#include <string.h>

namespace lqfda::test {

class Json {
 public:
  static bool Holds(const char* text) {
    Json json(text);
    json.Value();
    json.Space();
    return json.good_ && *json.at_ == 0;
  }

 private:
  explicit Json(const char* text) : at_(text) {}

  void Space() {
    while (isspace(static_cast<unsigned char>(*at_))) ++at_;
  }
  void Expect(bool holds) { good_ &= holds; }
  bool Take(char c) {
    Space();
    if (*at_ != c) return false;
    ++at_;
    return true;
  }

  void Word(const char* word) {
    const size_t size = strlen(word);
    Expect(strncmp(at_, word, size) == 0);
    if (good_) at_ += size;
  }

  void String() {
    Expect(Take('"'));
    while (good_ && *at_ != '"') {
      Expect(static_cast<unsigned char>(*at_) >= 0x20);
      if (*at_ == '\\') {
        ++at_;
        Expect(*at_ != 0 && strchr("\"\\/bfnrtu", *at_) != nullptr);
        for (int i = 0; good_ && *at_ == 'u' && i < 4; ++i) Expect(isxdigit(static_cast<unsigned char>(at_[i + 1])));
      }
      if (good_) ++at_;
    }
    Expect(Take('"'));
  }

  void Number() {
    const char* begin = at_;
    if (*at_ == '-') ++at_;
    while (isdigit(static_cast<unsigned char>(*at_)) || (*at_ == '.' && at_ != begin)) ++at_;
    Expect(at_ != begin && isdigit(static_cast<unsigned char>(at_[-1])));
  }

  void List(char end, bool keys) {
    ++at_;
    if (Take(end)) return;
    do {
      if (keys) {
        String();
        Expect(Take(':'));
      }
      Value();
    } while (good_ && Take(','));
    Expect(Take(end));
  }

  void Value() {
    Space();
    switch (good_ ? *at_ : 0) {
      case '{':
        return List('}', true);
      case '[':
        return List(']', false);
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  const char* at_;
  bool good_ = true;
};

}  // namespace lqfda::test
