# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=FILE.py -DOUTPUT=FILE.cpp -DFUNCTION=NAME -P embed_modeling.cmake: a modelling file as a string of the program.
file(READ "${INPUT}" text)
string(FIND "${text}" ")MODELING\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds the end of the raw string that it becomes")
endif()
file(WRITE "${OUTPUT}" "// Made from ${INPUT}; do not edit.
#include \"core/surgery/modeling.h\"

namespace core {

std::string_view ${FUNCTION}() noexcept {
    static constexpr std::string_view kText = R\"MODELING(${text})MODELING\";
    return kText;
}

}  // namespace core
")
