//! Runs a WebAssembly module that may call nothing outside: `alone MODULE`. It must import nothing and end well.

use std::error::Error;

use wasmi::{Engine, Linker, Module, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: alone MODULE")?;
    let module = std::fs::read(&path)?;
    run(&module)?;
    println!("{}: {} bytes, no import, ran to its end", path.display(), module.len());
    Ok(())
}

/// Runs the module's `main`.
fn run(module: &[u8]) -> Result<(), Box<dyn Error>> {
    let engine = Engine::default();
    let module = Module::new(&engine, module)?;
    let imports: Vec<String> =
        module.imports().map(|import| format!("{}.{}", import.module(), import.name())).collect();
    if !imports.is_empty() {
        return Err(format!("the module imports {}: something in it does I/O", imports.join(", ")).into());
    }
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
    let main = instance.get_typed_func::<(i32, i32), i32>(&store, "main")?;
    match main.call(&mut store, (0, 0))? {
        0 => Ok(()),
        code => Err(format!("the module ran and failed with {code}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::run;

    /// A module in bytes: magic, version, and the sections given.
    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0", sections.concat().as_slice()].concat()
    }

    #[test]
    fn a_module_that_imports_is_refused() {
        let types: &[u8] = b"\x01\x04\x01\x60\0\0"; // one type: a function of nothing
        let imports: &[u8] = b"\x02\x0b\x01\x03env\x03now\0\0"; // env.now, of that type
        let error = run(&module(&[types, imports])).unwrap_err();
        assert!(error.to_string().contains("imports env.now"), "{error}");
    }

    #[test]
    fn a_module_without_main_proves_nothing() {
        assert!(run(&module(&[])).is_err());
    }

    #[test]
    fn a_module_that_fails_is_refused() {
        let types: &[u8] = b"\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f"; // main's type
        let functions: &[u8] = b"\x03\x02\x01\0";
        let exports: &[u8] = b"\x07\x08\x01\x04main\0\0";
        let with_code = |code: u8| module(&[types, functions, exports, &[0x0a, 6, 1, 4, 0, 0x41, code, 0x0b]]);
        assert!(run(&with_code(0)).is_ok());
        assert!(run(&with_code(1)).unwrap_err().to_string().contains("failed with 1"));
    }
}
