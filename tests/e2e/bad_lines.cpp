#include "bad_lines.h"

namespace chash::e2e {

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  while (count-- > 0) all += text;
  return all;
}

const std::vector<BadLine>& bad_lines() {
  static const std::string nul(1, '\0');
  static const std::vector<BadLine> lines{
      // JSON
      {"", "invalid_request", "not JSON", ""},
      {" ", "invalid_request", "not JSON", ""},
      {"{", "invalid_request", "syntax error near byte", ""},
      {"}{", "invalid_request", "syntax error", ""},
      {"ping", "invalid_request", "syntax error", ""},
      {R"({"op":"ping"}{"op":"ping"})", "invalid_request", "syntax error", ""},
      {R"({"op":"ping",})", "invalid_request", "syntax error", ""},
      {R"({'op':'ping'})", "invalid_request", "syntax error", ""},
      {R"({"op":"ping"} // why)", "invalid_request", "syntax error", ""},
      {R"({"op":"ping"})" + nul, "invalid_request", "NUL", ""},
      {R"({"op":"ping"})" + nul + "garbage", "invalid_request", "NUL", ""},
      {"\xef\xbb\xbf{\"op\":\"ping\"}", "invalid_request", "byte order mark", ""},
      {"{\"op\":\"get-node\",\"key\":\"\xff\"}", "invalid_request", "not UTF-8", ""},
      {"{\"op\":\"get-node\",\"key\":\"\xc0\xaf\"}", "invalid_request", "not UTF-8", ""},
      {"{\"op\":\"get-node\",\"key\":\"\xed\xa0\x80\"}", "invalid_request", "not UTF-8", ""},
      {R"({"op":"get-node","key":"\ud800"})", "invalid_request", "syntax error", ""},
      {"{\"op\":\"get-node\",\"key\":\"a\tb\"}", "invalid_request", "syntax error", ""},
      {R"({"op":"ping","op":"ping"})", "invalid_request", "twice", ""},
      {R"({"op":"get-node","key":"a","\u006bey":"b"})", "invalid_request", "twice", ""},
      {R"({"op":"ping","x":)" + repeated("[", 32) + repeated("]", 32) + "}", "invalid_request", "nested deeper than 32",
       ""},
      {R"({"op":"ping","x":)" + repeated("[", 31) + repeated("]", 31) + "}", "invalid_argument", "unknown field 'x'",
       ""},
      {repeated("[", 100'000), "invalid_request", "nested deeper than 32", ""},
      {repeated(R"({"a":)", 100'000), "invalid_request", "nested deeper than 32", ""},
      // Requests
      {"[]", "invalid_request", "must be a JSON object", R"({"op":"ping"})"},
      {"null", "invalid_request", "must be a JSON object", ""},
      {R"("ping")", "invalid_request", "must be a JSON object", ""},
      {"{}", "invalid_request", "needs an 'op'", R"({"op":"ping"})"},
      {R"({"op":1})", "invalid_request", "needs an 'op', a string", ""},
      {R"({"op":"get-nod","key":"a"})", "invalid_request", "unknown operation 'get-nod'", "did you mean 'get-node'?"},
      {R"({"op":"shutdown -h now"})", "invalid_request", "unknown operation", "chash-protocol(7)"},
      {R"({"op":"a\u001b[31m\nb"})", "invalid_request", R"(unknown operation 'a\x1b[31m\x0ab')", ""},
      {R"({"op":"get-node"})", "invalid_argument", "'key' is missing", ""},
      {R"({"op":"get-node","key":"a","kee":"b"})", "invalid_argument", "unknown field 'kee'", "did you mean 'key'?"},
      {R"({"op":"ping","ring":"default"})", "invalid_argument", "unknown field 'ring'", ""},
      {R"({"op":"get-node","key":1})", "invalid_argument", "'key' must be a string", ""},
      {R"({"op":"get-node","key":null})", "invalid_argument", "'key' must be a string", ""},
      {R"({"op":"get-node","key":["a"]})", "invalid_argument", "'key' must be a string", ""},
      {R"({"op":"get-node","key":"a","key_b64":"YQ=="})", "invalid_argument", "as text and as base64", ""},
      {R"({"op":"get-node","key_b64":"YQ"})", "invalid_argument", "'key_b64' must be base64 with padding", ""},
      {R"({"op":"get-node","key_b64":"YR=="})", "invalid_argument", "base64", ""},
      {R"({"op":"get-node","key_b64":"Y Q="})", "invalid_argument", "base64", ""},
      {R"({"op":"get-node","key":""})", "invalid_argument", "the key is empty", "1 to 65536 bytes"},
      {R"({"op":"get-node","key":")" + repeated("k", 65'537) + "\"}", "too_large", "the key has 65537 bytes", "65536"},
      {R"({"op":"get-node","key":"a","n":0})", "invalid_argument", "'n' must be a whole number from 1 to 256", ""},
      {R"({"op":"get-node","key":"a","n":257})", "invalid_argument", "'n' must be a whole number from 1 to 256", ""},
      {R"({"op":"get-node","key":"a","n":-1})", "invalid_argument", "'n' must be a whole number", ""},
      {R"({"op":"get-node","key":"a","n":1.0})", "invalid_argument", "'n' must be a whole number", ""},
      {R"({"op":"get-node","key":"a","n":"1"})", "invalid_argument", "'n' must be a whole number", ""},
      {R"({"op":"get-node","key":"a","n":4294967296})", "invalid_argument", "'n' must be a whole number", ""},
      {R"({"op":"get-node","key":"a","n":18446744073709551616})", "invalid_argument", "'n' must be a whole number", ""},
      {R"({"op":"get-node","key":"a","n":1e999})", "invalid_request", "", ""},
      {R"({"op":"get-node","key":"a","ring":"other"})", "not_found", "no ring 'other'",
       "the ring of this daemon is 'default'"},
      {R"({"op":"list","ring":""})", "not_found", "no ring ''", ""},
      {R"({"op":"get-nodes","keys":[]})", "invalid_argument", "'keys' is empty", "at least one"},
      {R"({"op":"get-nodes","keys":"a"})", "invalid_argument", "'keys' must be a list", ""},
      {R"({"op":"get-nodes","keys":["a",1]})", "invalid_argument", "'keys' must be a string", ""},
      {R"({"op":"get-nodes","keys":["a",""]})", "invalid_argument", "(key 2 of the batch)", ""},
      {R"({"op":"get-nodes","keys":["a")" + repeated(",\"a\"", 10'000) + "]}", "too_large", "'keys' has 10001 keys",
       "10000"},
      // Changes; none of these is made
      {R"({"op":"add","nodes":[]})", "invalid_argument", "no node is named", "at least one"},
      {R"({"op":"add","nodes":["a"]})", "invalid_argument", "'nodes' must be an object", ""},
      {R"({"op":"add","nodes":[{"name":"a"},{"name":"a"}]})", "invalid_argument", "'a' is named twice", ""},
      {R"({"op":"add","nodes":[{"name":"a"},{"name":"cache-node-1"}]})", "conflict",
       "'cache-node-1' is already in the ring", ""},
      {R"({"op":"add","nodes":[{"name":"a","wieght":2}]})", "invalid_argument", "unknown field 'wieght'",
       "did you mean 'weight'?"},
      {R"({"op":"add","nodes":[{"name":"a","weight":0}]})", "invalid_argument", "weight of node 'a' is out of range",
       "above 0"},
      {R"({"op":"add","nodes":[{"name":"a","weight":-1}]})", "invalid_argument", "out of range", ""},
      {R"({"op":"add","nodes":[{"name":"a","weight":1000000.1}]})", "invalid_argument", "out of range", "1000000"},
      {R"({"op":"add","nodes":[{"name":"a","weight":"1"}]})", "invalid_argument", "'weight' must be a number", ""},
      {R"({"op":"add","nodes":[{"name":"a","weight":160000}]})", "too_large", "16000300 points", "smaller weights"},
      {R"({"op":"add","nodes":[{"name":"a"}],"if_missing":1})", "invalid_argument",
       "'if_missing' must be true or false", ""},
      {R"({"op":"remove","nodes":["cache-node-1","nobody"]})", "not_found", "no node 'nobody'", ""},
      {R"({"op":"remove","nodes":["cache-node-1","cache-node-1"]})", "invalid_argument", "named twice", ""},
      {R"({"op":"remove","nodes":[{"name":"cache-node-1"}]})", "invalid_argument", "'nodes' must be a string", ""},
  };
  return lines;
}

}  // namespace chash::e2e
