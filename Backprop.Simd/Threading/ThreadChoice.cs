using System.Diagnostics;

namespace Backprop.Simd.Threading;

/// <summary>
/// Whether a repeated pass runs on its team or on the caller alone, chosen by timing both: results do not depend on the number
/// of threads, so the faster may be taken at any time.
/// </summary>
/// <remarks>
/// What sharing costs is not the fork and join but the data that moves between the cores' caches, and that depends on the
/// machine: batches of some dozen rows gain a factor of almost two where cores share a cache, and lose where they do not.
/// A trial is a few blocks of passes in turn on the team and alone; the first passes of a block, whose data still lies with
/// the other side, do not count, and of the blocks the quickest does. Trials are repeated, rarely.
/// </remarks>
internal sealed class ThreadChoice
{
    /// <summary>Passes in a row of one kind, and how many of them only move the data over.</summary>
    private const int Block = 8, Settling = 2;

    /// <summary>Blocks of a trial, half of each kind.</summary>
    private const int Blocks = 6;

    /// <summary>The first trial may still time code that is not optimized; the second decides, and later ones follow the machine.</summary>
    private const int FirstTrial = 8, SecondTrial = 256, Period = 4096;

    private readonly ComputeContext _team;
    private long _passes;
    private long _nextTrial = FirstTrial;
    private int _position = -1;
    private long _started;
    private long _sum;
    private long _bestShared, _bestAlone;
    private bool _alone;

    public ThreadChoice(ComputeContext team)
    {
        _team = team;
        Current = team;
    }

    /// <summary>What the pass in progress runs on.</summary>
    public ComputeContext Current { get; private set; }

    /// <summary>Picks the threads. <paramref name="measures"/>: the pass is of full size, so that its time may count.</summary>
    public void Begin(bool measures)
    {
        _started = 0;
        if (!measures || _team.Threads == 1 || _team.InlineNanoseconds == 0)
            return;
        if (_position < 0 && _passes >= _nextTrial)
        {
            (_position, _sum) = (0, 0);
            _bestShared = _bestAlone = long.MaxValue;
        }

        var alone = _position < 0 ? _alone : IsAlone(_position);
        Current = alone ? ComputeContext.SingleThreaded : _team;
        if (_position >= 0)
            _started = Stopwatch.GetTimestamp();
    }

    public void End()
    {
        _passes++;
        if (_started != 0)
            Record(Stopwatch.GetTimestamp() - _started);
    }

    private static bool IsAlone(int position) => (position / Block & 1) != 0;

    private void Record(long elapsed)
    {
        var inBlock = _position % Block;
        if (inBlock >= Settling)
            _sum += elapsed;
        if (inBlock == Block - 1)
        {
            if (IsAlone(_position))
                _bestAlone = Math.Min(_bestAlone, _sum);
            else
                _bestShared = Math.Min(_bestShared, _sum);
            _sum = 0;
        }

        if (++_position < Block * Blocks)
            return;
        _position = -1;
        _alone = _bestAlone < _bestShared;
        _nextTrial = _passes < SecondTrial ? SecondTrial : _passes + Period;
    }
}
