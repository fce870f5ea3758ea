#include "app/reader/reader.h"

int main() {
    return postern::app::reader::run_reader();
}
