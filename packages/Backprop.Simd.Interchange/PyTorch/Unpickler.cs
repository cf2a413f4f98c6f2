using System.Buffers.Binary;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>
/// Reads a pickle of tensors. It knows dictionaries, tuples, lists, texts, numbers, truth values, None, tensors, parameters and storages, calls
/// nothing, and refuses every other name by that name.
/// </summary>
/// <remarks>A pickle is a program for a machine with a stack; its instructions are those of Python's <c>pickletools</c>. The machine here has the
/// instructions that PyTorch and other writers of plain data use, a limit for everything that it makes, and no recursion.</remarks>
internal sealed class Unpickler(ReadOnlyMemory<byte> pickle, string origin)
{
    /// <summary>How many values a pickle may make, hold on its stack, and remember. A tensor takes about ten.</summary>
    private const int MostValues = 1 << 20;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<long, object?> _memory = [];
    private int _at, _made;

    /// <summary>Runs the pickle.</summary>
    /// <returns>Its value: null, bool, long, double, string, or one of the types of this folder that begin with Pickle.</returns>
    /// <exception cref="ModelFileException">The pickle is damaged, too large, or wants something else made.</exception>
    public object? Read()
    {
        while (true)
        {
            var code = (char)Take(1)[0];
            if (code == '.')
                break;
            Run(code);
            if (_stack.Count > MostValues || _memory.Count > MostValues || ++_made > 16 * MostValues)
                throw Fault($"it makes more than {MostValues} values");
        }

        var result = Pop();
        return _stack.Count == 0 && _at == pickle.Length ? result : throw Fault("it goes on behind its end");
    }

    private void Run(char code)
    {
        switch (code)
        {
            case '\x80': // PROTO
                var version = Take(1)[0];
                if (version > 5)
                    throw Fault($"its protocol is {version}; 0 to 5 are known");
                break;
            case '\x95': // FRAME
                Take(8);
                break;
            case '(':
                _marks.Push(_stack.Count);
                if (_marks.Count > MostValues)
                    throw Fault("it has too many marks");
                break;
            case 'N':
                _stack.Add(null);
                break;
            case '\x88' or '\x89':
                Push(code == '\x88');
                break;
            case 'K' or 'M' or 'J' or '\x8a':
                Push(Integer(code));
                break;
            case 'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case 'X' or '\x8c' or '\x8d':
                Push(Text(code));
                break;
            case ')' or '\x85' or '\x86' or '\x87' or 't' or ']' or 'l':
                Push(Sequence(code));
                break;
            case '}' or 'd':
                Push(Dictionary(code == 'd' ? PopToMark() : []));
                break;
            case 'a' or 'e':
                Append(code == 'a' ? [Pop()] : PopToMark());
                break;
            case 's' or 'u':
                SetItems(code);
                break;
            case 'q' or 'r' or '\x94':
                _memory[code == '\x94' ? _memory.Count : Index(code == 'r')] = Peek();
                break;
            case 'h' or 'j':
                var index = Index(code == 'j');
                _stack.Add(_memory.TryGetValue(index, out var value) ? value : throw Fault($"it remembers nothing under {index}"));
                break;
            case 'c':
                Push(Name(Line(), Line()));
                break;
            case '\x93': // STACK_GLOBAL
                var (name, module) = (Pop(), Pop());
                Push(Name(module as string ?? throw Fault("a name is no text"), name as string ?? throw Fault("a name is no text")));
                break;
            case 'Q':
                Push(Storage(Pop()));
                break;
            case 'R':
                var arguments = Pop();
                Push(Made(Pop(), (arguments as PickleSequence ?? throw Fault("arguments are no tuple")).Items));
                break;
            case 'b': // The attributes of a dictionary, such as the versions of modules: not needed.
                Pop();
                if (Peek() is not PickleDictionary)
                    throw Fault("it sets attributes of something that is no dictionary");
                break;
            case '0':
                Pop();
                break;
            default:
                throw Fault($"its instruction 0x{(int)code:x2} at {_at - 1} makes what is neither plain data nor a tensor");
        }
    }

    private long Integer(char code)
    {
        switch (code)
        {
            case 'K':
                return Take(1)[0];
            case 'M':
                return BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
            case 'J':
                return BinaryPrimitives.ReadInt32LittleEndian(Take(4));
            default:
                var bytes = Take(Take(1)[0]);
                if (bytes.Length > 8)
                    throw Fault($"an integer has {bytes.Length} bytes; at most 8 are read");
                var number = bytes.Length > 0 && bytes[^1] >= 128 ? -1L : 0;
                for (var i = bytes.Length - 1; i >= 0; i--)
                    number = number << 8 | bytes[i];
                return number;
        }
    }

    private string Text(char code)
    {
        var length = code switch
        {
            '\x8c' => Take(1)[0],
            'X' => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(Take(8)),
        };
        try
        {
            return Utf8.GetString(Take(length));
        }
        catch (DecoderFallbackException e)
        {
            throw Fault("a text is not UTF-8", e);
        }
    }

    private PickleSequence Sequence(char code)
    {
        List<object?> items = code is ')' or ']' ? [] : code is 't' or 'l' ? PopToMark() : Last(code - '\x84');
        return new(items, code is not (']' or 'l'));
    }

    private List<object?> Last(int count)
    {
        if (_stack.Count - Floor < count)
            throw Fault("its stack is empty");
        var items = _stack.GetRange(_stack.Count - count, count);
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private PickleDictionary Dictionary(List<object?> items)
    {
        var result = new PickleDictionary();
        Set(result, items);
        return result;
    }

    private void SetItems(char code)
    {
        var items = code == 's' ? Last(2) : PopToMark();
        Set(Peek() as PickleDictionary ?? throw Fault("it sets items of something that is no dictionary"), items);
    }

    private void Set(PickleDictionary dictionary, List<object?> items)
    {
        if (items.Count % 2 != 0)
            throw Fault("a key has no value");
        for (var i = 0; i < items.Count; i += 2)
            dictionary.Set(items[i], items[i + 1]);
    }

    private void Append(List<object?> items)
    {
        if (Peek() is not PickleSequence { IsTuple: false } list)
            throw Fault("it appends to something that is no list");
        list.Items.AddRange(items);
    }

    private PickleName Name(string module, string name) => PickleCalls.Knows(module, name)
        ? new(module, name)
        : (module, name) is ("torch._utils", "_rebuild_tensor_v3")
        ? throw new ModelFileException($"{origin} asks for 'torch._utils._rebuild_tensor_v3': it holds a tensor of unsigned integers of 16 to 64 bits, or of "
            + "floats of 8 bits, which are not read. Convert it before saving, to torch.int64 or torch.float32.")
        : throw new ModelFileException($"{origin} asks for '{Texts.Shown(module)}.{Texts.Shown(name)}', which is neither plain data nor a tensor; "
            + "it is refused and nothing was run. Save the state alone: torch.save(module.state_dict(), path).");

    private PickleStorage Storage(object? id) => id is PickleSequence { Items: ["storage", PickleName name, string key, _, long count, ..] }
        && PickleCalls.TypeOf(name) is { } type && count >= 0
        ? new(key, type, count)
        : throw Fault("it refers to something that is no storage");

    private object Made(object? call, List<object?> arguments) => (call as PickleName, arguments) switch
    {
        ({ Name: "OrderedDict" }, [] or [PickleSequence { Items: [] }]) => new PickleDictionary(),
        ({ Name: "_rebuild_parameter" }, [PickleTensor tensor, ..]) => tensor,
        ({ Name: "_rebuild_tensor_v2" }, [PickleStorage storage, long offset, PickleSequence sizes, PickleSequence strides, ..]) =>
            PickleCalls.Tensor(storage, offset, sizes.Items, strides.Items) ?? throw Fault($"a tensor reaches beyond its storage '{Texts.Shown(storage.Key)}'"),
        ({ } name, _) => throw Fault($"it calls '{name.Module}.{name.Name}' with other arguments than PyTorch does"),
        _ => throw Fault("it calls something that is no name"),
    };

    private long Index(bool isLong) => isLong ? BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) : Take(1)[0];

    private string Line()
    {
        var length = pickle.Span[_at..].IndexOf((byte)'\n');
        if (length is < 0 or > 1000)
            throw Fault("a name has no end");
        var line = Encoding.Latin1.GetString(Take((ulong)length));
        _at++;
        return line;
    }

    /// <summary>What lies below this does not belong to the values since the last mark.</summary>
    private int Floor => _marks.TryPeek(out var mark) ? mark : 0;

    private void Push(object? value)
    {
        _made += 16;
        _stack.Add(value);
    }

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Fault("its stack is empty");

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private List<object?> PopToMark()
    {
        if (!_marks.TryPop(out var mark))
            throw Fault("a mark is missing");
        var items = _stack.GetRange(mark, _stack.Count - mark);
        _stack.RemoveRange(mark, items.Count);
        return items;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(pickle.Length - _at))
            throw Fault("it is cut off");
        _at += (int)count;
        return pickle.Span.Slice(_at - (int)count, (int)count);
    }

    private ModelFileException Fault(string fault, Exception? inner = null) => new($"{origin}: the pickle in it cannot be read: {fault}.", inner!);
}
